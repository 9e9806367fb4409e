#!/bin/bash
# Formats every C and C++ file git tracks; with --check it changes nothing and fails if a file is not formatted.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(-i)
[ "${1:-}" != --check ] || mode=(--dry-run --Werror)
git ls-files -z -- '*.c' '*.cpp' '*.h' | xargs -0 -r clang-format --style=file "${mode[@]}"
