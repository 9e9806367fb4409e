#!/bin/bash
# Runs clang-tidy on every tracked source file (or on those named), with the flags of build/release, one process a core.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly flags=build/release
[ -f $flags/compile_commands.json ] || { echo "tidy: no $flags/compile_commands.json: run make tidy" >&2; exit 1; }
if [ $# -eq 0 ]; then
  mapfile -t files < <(git ls-files -- '*.cpp')
else
  files=("$@")
fi
printf '%s\0' "${files[@]}" | xargs -0 -r -n 1 -P "$(nproc)" clang-tidy --quiet --warnings-as-errors='*' -p $flags
