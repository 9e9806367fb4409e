#!/bin/sh
# Analysed once, used twice: a tee feeds an annotated video, and JSON from the frames as they were.
#
#     tee_to_file_and_json.sh [INPUT [OUTPUT.mp4 [OUTPUT.ndjson]]]
#
# Without arguments: the clip of media/ to tee.mp4 and tee.ndjson. In the environment: MODEL, DEVICE and
# NET_RESOLUTION. Each branch of a tee needs a queue of its own.
set -eu
here=$(dirname "$0")
. "$here/common.sh"
input=${1:-$here/../../media/figures.mp4}
video=${2:-tee.mp4}
json=${3:-tee.ndjson}
readable "$input"
encoder=$(encoder)

# shellcheck disable=SC2086
exec gst-launch-1.0 -q -e \
  filesrc location="$input" ! decodebin ! queue ! videoconvert ! videoflip video-direction=auto ! \
  neuroninfer model="${MODEL:-openpose-lite}" device="${DEVICE:-auto}" ${NET_RESOLUTION:+net-resolution="$NET_RESOLUTION"} ! tee name=results \
  results. ! queue ! videoconvert ! neuronoverlay ! videoconvert ! \
  $encoder ! h264parse ! mp4mux ! filesink location="$video" \
  results. ! queue ! neuronjson location="$json" ! fakesink sync=false
