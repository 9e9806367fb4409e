#!/bin/sh
# A camera, or a test picture where there is none, in a window with skeletons drawn on it.
#
#     camera_to_window.sh [/dev/videoN | test]
#
# Without arguments: /dev/video0 if it exists, else the test picture. In the environment: MODEL, DEVICE
# and NET_RESOLUTION; FRAMES, after how many to end (0: never); VIDEO_SINK, another sink than autovideosink. The queue drops frames that the network cannot
# keep up with, so that the picture stays current.
set -eu
here=$(dirname "$0")
. "$here/common.sh"
camera=${1:-/dev/video0}
frames=${FRAMES:-0}
limit=-1
[ "$frames" -eq 0 ] || limit=$frames
if [ "$camera" != test ] && [ ! -e "$camera" ]; then
  [ $# -eq 0 ] || die "$camera: no such device"
  camera='test'
fi
if [ "$camera" = test ]; then
  set -- videotestsrc is-live=true pattern=ball num-buffers="$limit" ! video/x-raw,width=640,height=360,framerate=25/1
else
  need v4l2src gstreamer1.0-plugins-good
  set -- v4l2src device="$camera" num-buffers="$limit" ! decodebin
fi

exec gst-launch-1.0 -q -e "$@" ! videoconvert ! \
  queue max-size-buffers=2 leaky=downstream ! \
  neuroninfer model="${MODEL:-openpose-lite}" device="${DEVICE:-auto}" ${NET_RESOLUTION:+net-resolution="$NET_RESOLUTION"} ! \
  videoconvert ! neuronoverlay ! videoconvert ! "${VIDEO_SINK:-autovideosink}"
