#!/bin/bash
# seeded.sh format|tidy ROOT: proves that the configuration of clang-format or clang-tidy is alive, by giving the tool a file
# with known faults (each must be reported) and one without (nothing may be).
set -euo pipefail
readonly tool=$1 root=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() { echo "$*" >&2; exit 1; }

format() {
  local style=(--style=file:"$root/.clang-format" --dry-run --Werror)
  printf 'int answer() { return 42; }\n' >"$dir/good.cpp"
  printf 'int  answer( ){return 42 ;}\n' >"$dir/bad.cpp"
  clang-format "${style[@]}" "$dir/good.cpp"
  ! clang-format "${style[@]}" "$dir/bad.cpp" 2>/dev/null || fail "clang-format accepts a badly formatted file"
}

tidy() {
  local found check
  cp "$root/tests/tree/seeded_good.cpp.txt" "$dir/good.cpp"
  cp "$root/tests/tree/seeded_bad.cpp.txt" "$dir/bad.cpp"
  for ((i = 0; i < 61; ++i)); do printf '  value += %d;\n' $i; done >"$dir/many_lines.inc"
  sed -i -e "/MANY LINES/r $dir/many_lines.inc" "$dir/bad.cpp"
  run() { clang-tidy --quiet --config-file="$root/.clang-tidy" --warnings-as-errors='*' "$1" -- -std=c++20 2>/dev/null; }
  run "$dir/good.cpp" || fail "clang-tidy rejects a file without faults"
  ! found=$(run "$dir/bad.cpp") || fail "clang-tidy accepts a file full of faults"
  for check in $(sed -n 's,^// FINDS: ,,p' "$dir/bad.cpp"); do
    grep -q "$check" <<<"$found" || fail "clang-tidy did not report $check; it said: $found"
  done
  found=$(clang-tidy --list-checks "$root/tests/any.cpp" --)
  grep -q use-after-move <<<"$found" || fail "tests/.clang-tidy does not inherit the rules of the project"
}

$tool
