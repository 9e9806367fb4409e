#!/bin/sh
# A detector finds people, then the pose network looks at each of them alone: better than the whole frame when people are
# small in it. Draws both, and writes a line of JSON for each frame.
#
#     detect_then_pose.sh [INPUT [OUTPUT.mp4 [OUTPUT.ndjson]]]
#
# Without arguments: the clip of media/ to people.mp4 and people.ndjson. In the environment: DETECTOR (person-detection-0013;
# get it with `posecam models pull person-detection-0013`), CLASS, the detector's name for people, MODEL,
# NET_RESOLUTION (of the pose network) and DEVICE.
set -eu
here=$(dirname "$0")
. "$here/common.sh"
input=${1:-$here/../../media/figures.mp4}
video=${2:-people.mp4}
json=${3:-people.ndjson}
readable "$input"
encoder=$(encoder)

# shellcheck disable=SC2086
exec gst-launch-1.0 -q -e \
  filesrc location="$input" ! decodebin ! queue ! videoconvert ! videoflip video-direction=auto ! \
  neuroninfer model="${DETECTOR:-person-detection-0013}" device="${DEVICE:-auto}" ! queue ! \
  neuroninfer model="${MODEL:-openpose-lite}" device="${DEVICE:-auto}" ${NET_RESOLUTION:+net-resolution="$NET_RESOLUTION"} \
  inference-region=roi-list object-class="${CLASS:-person}" ! \
  neuronjson location="$json" ! \
  queue ! videoconvert ! neuronoverlay ! videoconvert ! \
  $encoder ! h264parse ! mp4mux ! filesink location="$video"
