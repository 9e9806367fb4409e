#!/bin/sh
# Two videos into one network: elements with one model-instance-id share a loaded model, and their frames share batches.
# Writes a line of JSON for each frame.
#
#     two_streams.sh [INPUT1 [INPUT2 [OUTPUT_FOLDER]]]
#
# Without arguments: the clip of media/ twice, to one.ndjson and two.ndjson in this folder. In the environment: MODEL,
# DEVICE, NET_RESOLUTION, and BATCH, the frames in a batch.
set -eu
here=$(dirname "$0")
. "$here/common.sh"
one=${1:-$here/../../media/figures.mp4}
two=${2:-$one}
folder=${3:-.}
readable "$one"
readable "$two"
[ -d "$folder" ] || die "$folder: no such folder; create it first"

# Both elements must be given the same settings.
infer="neuroninfer model-instance-id=shared model=${MODEL:-openpose-lite} device=${DEVICE:-auto} ${NET_RESOLUTION:+net-resolution=$NET_RESOLUTION} batch-size=${BATCH:-4}"
# shellcheck disable=SC2086
exec gst-launch-1.0 -q -e \
  filesrc location="$one" ! decodebin ! queue ! videoconvert ! videoflip video-direction=auto ! $infer ! \
  neuronjson stream-id=one location="$folder/one.ndjson" ! fakesink sync=false \
  filesrc location="$two" ! decodebin ! queue ! videoconvert ! videoflip video-direction=auto ! $infer ! \
  neuronjson stream-id=two location="$folder/two.ndjson" ! fakesink sync=false
