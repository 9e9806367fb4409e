#!/bin/sh
# A video file in, the same video with skeletons drawn on it out.
#
#     file_to_mp4.sh [INPUT [OUTPUT.mp4]]
#
# Without arguments: the clip of media/ to annotated.mp4. In the environment: MODEL, the network; DEVICE,
# where it runs; NET_RESOLUTION, the size it sees. E.g. MODEL=openpose DEVICE=openvino NET_RESOLUTION=656x368.
set -eu
here=$(dirname "$0")
. "$here/common.sh"
input=${1:-$here/../../media/figures.mp4}
output=${2:-annotated.mp4}
readable "$input"
encoder=$(encoder)

# The encoder is several words on purpose.
# shellcheck disable=SC2086
exec gst-launch-1.0 -q -e \
  filesrc location="$input" ! decodebin ! queue ! videoconvert ! videoflip video-direction=auto ! \
  neuroninfer model="${MODEL:-openpose-lite}" device="${DEVICE:-auto}" ${NET_RESOLUTION:+net-resolution="$NET_RESOLUTION"} ! \
  queue ! videoconvert ! neuronoverlay ! videoconvert ! \
  $encoder ! h264parse ! mp4mux ! filesink location="$output"
