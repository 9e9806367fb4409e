#!/bin/sh
# An RTSP camera in; an annotated video and a line of JSON for each frame out. Ends with Ctrl-C, which completes both files.
#
#     rtsp_in.sh rtsp://HOST[:PORT]/PATH [OUTPUT.mp4 [OUTPUT.ndjson]]
#
# In the environment: RTSP_USER and RTSP_PASSWORD; LATENCY, the jitter buffer in ms (rtspsrc's own default is 2000); MODEL,
# DEVICE and NET_RESOLUTION. gst-launch-1.0 takes the password as an argument, which other users of the machine can see.
set -eu
here=$(dirname "$0")
. "$here/common.sh"
[ $# -ge 1 ] || die 'usage: rtsp_in.sh rtsp://HOST[:PORT]/PATH [OUTPUT.mp4 [OUTPUT.ndjson]]'
url=$1
video=${2:-camera.mp4}
json=${3:-camera.ndjson}
need rtspsrc gstreamer1.0-plugins-good
encoder=$(encoder)

# The queue before the network drops frames it cannot keep up with; without it the camera's buffers would overflow.
# shellcheck disable=SC2086
exec gst-launch-1.0 -q -e \
  rtspsrc location="$url" ${RTSP_USER:+user-id="$RTSP_USER"} ${RTSP_PASSWORD:+user-pw="$RTSP_PASSWORD"} \
  protocols=tcp latency="${LATENCY:-200}" ! rtph264depay ! decodebin ! \
  queue max-size-buffers=4 leaky=downstream ! \
  neuroninfer model="${MODEL:-openpose-lite}" device="${DEVICE:-auto}" ${NET_RESOLUTION:+net-resolution="$NET_RESOLUTION"} ! \
  neuronjson location="$json" ! \
  queue ! videoconvert ! neuronoverlay ! videoconvert ! \
  $encoder ! h264parse ! mp4mux ! filesink location="$video"
