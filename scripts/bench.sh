#!/bin/bash
# Runs the benchmarks of the algorithms, then end to end on a clip of real people where there is one: bench.sh [CLIP [MODEL]]
set -euo pipefail
cd "$(dirname "$0")/.."
for program in build/release/bin/*_bench; do
  [ ! -x "$program" ] || "$program"
done
clip=${1:-../shared/media/pexels_group_exercise_720p.mp4}
if [ -f "$clip" ]; then
  tests/bench/end_to_end "$clip" "${2:-openpose}"
else
  echo "bench: end to end needs a clip: tests/bench/end_to_end CLIP MODEL"
fi
