#!/bin/bash
# The main job on the clip of media/, with the network that comes with posecam: an annotated video and one line of JSON a
# frame, below build/demo. `make demo CLIP=FILE` takes another clip.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly out=build/demo clip=${1:-media/figures.mp4}
mkdir -p $out

build/bin/posecam run "$clip" --model openpose-lite --write-video $out/annotated.mp4 --json-lines $out/keypoints.ndjson
cat <<TEXT

demo: annotated video  $out/annotated.mp4
demo: keypoints        $out/keypoints.ndjson  ($(wc -l <$out/keypoints.ndjson) lines, one a frame)
TEXT
[ "$clip" != media/figures.mp4 ] || echo "demo: the clip shows drawn figures; try one of people: make demo CLIP=clip.mp4"
