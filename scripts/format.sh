#!/bin/bash
# Formats the C and C++ sources; with --check it changes nothing and fails if a file is not formatted.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(-i)
[ "${1:-}" != --check ] || mode=(--dry-run --Werror)
find app configs elements media models pipeline postprocess tests \( -name '*.c' -o -name '*.cpp' -o -name '*.h' \) -print0 |
  xargs -0 clang-format --style=file "${mode[@]}"
