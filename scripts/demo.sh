#!/bin/bash
# The main job on a clip: an annotated video and one line of JSON a frame, below build/demo. Real people and the mirror of
# weights come from ../shared where it is; otherwise the clip is our own and the weights come from where they are published.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly out=build/demo posecam=build/bin/posecam
mkdir -p "$out"
export XDG_DATA_HOME=$PWD/$out/data  # leaves the models of the user alone

clip=media/figures.mp4
if [ -f ../shared/media/pexels_group_exercise_720p.mp4 ]; then clip=../shared/media/pexels_group_exercise_720p.mp4; fi
if [ -z "${POSECAM_MODEL_MIRROR:-}" ] && [ -d ../shared/models ]; then export POSECAM_MODEL_MIRROR=../shared/models; fi

echo "demo: weights of openpose"
$posecam models pull openpose || true  # the backends' weights come from different places: one that is missing is no loss

echo "demo: $clip"
status=0
$posecam run "$clip" --model openpose --write-video $out/annotated.mp4 --json-lines $out/keypoints.ndjson || status=$?
if [ $status -eq 3 ]; then
  cat <<TEXT

demo: NO NETWORK WEIGHTS, so no people were found and nothing was annotated.
  The weights of openpose could not be had (messages above). With a connection to where they are published, or a folder
  of weights in POSECAM_MODEL_MIRROR, run make demo again.
  The clip it would have used: $clip
TEXT
  exit 0
fi
[ $status -eq 0 ] || exit $status
cat <<TEXT

demo: annotated video  $out/annotated.mp4
demo: keypoints        $out/keypoints.ndjson  ($(wc -l <$out/keypoints.ndjson) lines, one a frame)
TEXT
if [ "$clip" = media/figures.mp4 ]; then
  echo "demo: the clip shows drawn figures; openpose, trained on photographs, finds most of them"
fi
