#!/bin/bash
# fuzz.sh [TARGET...]: fuzzes the targets of tests/fuzz (all of them) for SECONDS_EACH (20) seconds each, from their saved
# inputs and what earlier runs found, with inputs that are the same each time, unless SEED=0 asks for others. Stops at the
# first finding and says where its input is.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly build=build/fuzz seconds=${SECONDS_EACH:-20}
targets=("$@")
[ $# -gt 0 ] || targets=(model_spec texts pictures costs sources results decoders neuron elements clips)

command -v clang++ >/dev/null || { echo "fuzz: clang is missing: run make setup-develop" >&2; exit 1; }
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target "${targets[@]/%/_fuzz}"

export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export LSAN_OPTIONS=suppressions=$PWD/tests/support/lsan.supp:print_suppressions=0
mkdir -p "$build/found"
for target in "${targets[@]}"; do
  seen=$build/corpus/$target
  log=$build/$target.log
  mkdir -p "$seen"
  options=(-seed="${SEED:-1}" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=3000 -artifact_prefix="$build/found/$target-")
  [ ! -f "tests/fuzz/$target.dict" ] || options+=(-dict="tests/fuzz/$target.dict")
  # Whole stacks of allocations, which cost time: what the suppressions name stands high up in them.
  [ "$target" != elements ] || export ASAN_OPTIONS=fast_unwind_on_malloc=0
  # Memory that is never freed is looked for at the end: after each input it would cost more than the input.
  if ! "$build/bin/${target}_fuzz" "${options[@]}" -detect_leaks=0 "$seen" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    echo "fuzz: $target failed; $log has all of it. Again: $build/bin/${target}_fuzz $build/found/$target-..." >&2
    exit 1
  fi
  printf 'fuzz: %s: %s\n' "$target" "$(grep -a DONE "$log" | tr -s '\t ' ' ')"
done
