#!/bin/bash
# setup.sh [develop]: installs what building and running posecam lacks, and with `develop` what tests and other checks lack:
# Debian packages (root or sudo), and below build/deps the OpenVINO runtime and a Python environment for tests. When all is
# there it changes nothing, needs no root and takes well under a second.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly deps=$PWD/build/deps
lists=(scripts/packages/{build,run}.txt)
[ "${1:-}" != develop ] || lists+=(scripts/packages/develop.txt)

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

listed_packages() { grep -hv -e '^#' -e '^$' "${lists[@]}"; }

missing_packages() {
  comm -23 <(listed_packages | sort) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $(listed_packages) 2>/dev/null | sed -n 's/^installed //p' | sort -u)
}

install_packages() {
  command -v dpkg-query >/dev/null || die "this is not a Debian system: install what ${lists[*]} list, then use cmake --preset release"
  local missing as_root=()
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "neither root nor sudo; as root run: apt-get install --no-install-recommends" $missing
    as_root=(sudo)
  fi
  say "installing" $missing
  "${as_root[@]}" apt-get -qq update || die "apt-get update failed (message above)"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing >/dev/null ||
    die "apt-get could not install:" $missing
}

# up_to_date NAME REQUIREMENTS: is build/deps/NAME the one these requirements describe?
up_to_date() { [ "$(cat "$deps/$1.stamp" 2>/dev/null)" = "$(sha256sum <"$2")" ] && [ -d "$deps/$1" ]; }
remember() { sha256sum <"$2" >"$deps/$1.stamp"; }

# pip of an environment of our own, held to what a requirements file pins.
pip() {
  [ -x "$deps/pyvenv/bin/pip" ] || /usr/bin/python3 -m venv "$deps/pyvenv"
  "$deps/pyvenv/bin/pip" "$1" -q --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: "${@:2}"
}

setup_python() {
  up_to_date pyvenv tests/requirements.txt && return
  say "Python packages for tests -> build/deps/pyvenv"
  rm -rf "$deps/pyvenv" "$deps/pyvenv.stamp"
  mkdir "$deps/pyvenv"
  if ! /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
    say "the packages are pinned for Python 3.11, this is $(/usr/bin/python3 -V): tests that need them will be skipped"
  elif ! pip install -r tests/requirements.txt; then
    die "pip could not install tests/requirements.txt (message above)"
  fi
  remember pyvenv tests/requirements.txt
}

# The wheel is unpacked whatever Python runs here: only its C++ parts are used, by the build and by posecam.
setup_openvino() {
  if [ "$(uname -m)" != x86_64 ]; then
    say "no pinned OpenVINO for $(uname -m): posecam is built with the OpenCV backend alone"
    return
  fi
  up_to_date openvino scripts/openvino-requirements.txt && return
  say "OpenVINO runtime -> build/deps/openvino"
  rm -rf "$deps/openvino" "$deps/openvino.part" "$deps/openvino.stamp"
  pip install --no-compile \
    --python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 \
    --target "$deps/openvino.part" -r scripts/openvino-requirements.txt || die "pip could not fetch OpenVINO (message above)"
  # Plugins for devices posecam does not drive: 50 MB of the folder.
  rm -f "$deps"/openvino.part/openvino/libs/libopenvino_intel_{gpu,npu}_plugin.so
  mv "$deps/openvino.part" "$deps/openvino"
  remember openvino scripts/openvino-requirements.txt
}

install_packages
mkdir -p "$deps"
setup_openvino
[ "${1:-}" != develop ] || setup_python
