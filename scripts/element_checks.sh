#!/bin/bash
# Checks of the GStreamer elements that take longer than a test may: valgrind's memcheck, GStreamer's leaks tracer, and
# many repetitions of the tests about flushes, seeks and ends of streams.
#
#     scripts/element_checks.sh [BUILD_DIR [memcheck | leaks | repeat [TIMES]]...]
#
# Without arguments: all three on build/release. `leaks` alone is also a test of ctest, and so is `repeat 20`.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
shift || true
[ -x "$build/bin/element_test" ] || { echo "element_checks: no $build/bin/element_test: run make build-all first" >&2; exit 1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# valgrind 3.19 knows neither AVX-512 nor AMX, which OpenVINO compiles for: these tests run on OpenCV and the fake device.
# The tests that count allocations or frames a second measure valgrind, not us. Those of seeks decode H.264, whose own
# libraries valgrind complains of by the thousand; AddressSanitizer sees them.
memcheck() {
  local filter='-ZeroCopy.*:*Fairness*:*HundredTimes'
  command -v valgrind >/dev/null || { echo 'element_checks: memcheck: valgrind is not here' >&2; return 1; }
  echo "element_checks: memcheck: element_test --gtest_filter=$filter"
  OPENCV_CPU_DISABLE=AVX512_SKX G_SLICE=always-malloc G_DEBUG=gc-friendly GST_REGISTRY_FORK=no ORC_CODE=backup \
    valgrind --error-exitcode=9 --errors-for-leak-kinds=definite --leak-check=full --show-leak-kinds=definite \
    --num-callers=30 --suppressions=tests/support/memcheck.supp --suppressions=/usr/share/glib-2.0/valgrind/glib.supp \
    "$build/bin/element_test" --gtest_filter="$filter" >"$log" 2>&1 || {
      grep -E -m3 -B1 -A40 'definitely lost in|Invalid|FAILED' "$log"
      return 1
    }
  grep -E 'ERROR SUMMARY|definitely lost|PASSED|tests? ran' "$log"
}

# The tracer says at the end what is still alive: nothing of an element, pad, buffer, event, caps or query may be.
leaks() {
  local program
  for program in element_test seek_test; do
    echo "element_checks: leaks: $program"
    POSECAM_SEEKS=50 G_SLICE=always-malloc GST_TRACERS=leaks GST_DEBUG=GST_TRACER:7 GST_DEBUG_NO_COLOR=1 \
      GST_DEBUG_FILE="$log" "$build/bin/$program" --gtest_brief=1
    if grep 'object-alive, type-name=(string)[^%]' "$log"; then
      echo "element_checks: leaks: $program leaves $(grep -c 'object-alive, type-name=(string)[^%]' "$log") objects alive" >&2
      return 1
    fi
  done
}

repeat() {
  echo "element_checks: repeat: $1 times"
  POSECAM_SEEKS=20 "$build/bin/element_test" --gtest_repeat="$1" --gtest_throw_on_failure \
    --gtest_filter='*Flush*:*Seek*:*Eos*:*Drain*:*EndOf*' >"$log" 2>&1 || { tail -n 40 "$log"; return 1; }
  grep -c '\[  PASSED  \]' "$log" | sed 's/$/ rounds passed/'
}

[ $# -gt 0 ] || set -- memcheck leaks repeat 200
while [ $# -gt 0 ]; do
  case $1 in
    memcheck | leaks) "$1" ;;
    repeat)
      repeat "${2:-200}"
      [ $# -eq 1 ] || shift
      ;;
    *)
      echo "element_checks: $1: must be memcheck, leaks or repeat" >&2
      exit 2
      ;;
  esac
  shift
done
