#!/bin/bash
# installed.sh BUILD: binaries.sh for what an installation has of our own.
set -euo pipefail
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$1" --prefix "$prefix" >/dev/null
find "$prefix" -name 'libopenvino*' -delete
find "$prefix" \( -name 'libtbb*' -o -name 'libhwloc*' \) -delete
bash "$(dirname "$0")/binaries.sh" "$prefix"
