#!/bin/bash
# current_folder.sh POSECAM PLUGINS CC: nothing is loaded from the folder that a user happens to be in, such as that of a
# downloaded archive: it is filled with libraries of every name that posecam and its plugin look for, which would say that
# they ran.
set -euo pipefail
readonly posecam=$1 plugins=$2 cc=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/here"
cat >"$work/planted.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
__attribute__((constructor)) static void ran(void) {
  FILE* file = fopen(getenv("POSECAM_ATTACKED"), "a");
  if (file != NULL) fclose(file);
}
C
"$cc" -shared -fPIC "$work/planted.c" -o "$work/planted.so"
export POSECAM_ATTACKED=$work/ran XDG_CACHE_HOME=$work/cache XDG_DATA_HOME=$work/data GST_PLUGIN_PATH=$plugins
{
  for file in "$posecam" "$plugins"/*.so; do readelf -dW "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; done
  printf '%s\n' libnrt.so.1 libnrt.so libopenvino.so libtbb.so.12 libopenvino_intel_cpu_plugin.so libgstneuron.so plugins.xml
} | grep -v '^ld-linux' | sort -u | while read -r name; do
  cp "$work/planted.so" "$work/here/$name"
done
cd "$work/here"
fail() { echo "$*"; exit 1; }
for command in "$posecam --version" "$posecam devices" "$posecam run synthetic --max-frames 1" 'gst-inspect-1.0 neuroninfer'; do
  $command >/dev/null 2>&1 || fail "$command: does not start where libraries were planted"
done
[ ! -e "$work/ran" ] || fail 'a library of the current folder was loaded'
# What was planted does what it is meant to do.
! LD_LIBRARY_PATH=$work/here "$posecam" --version >/dev/null 2>&1 || fail 'the planted libraries do not work'
POSECAM_NRT_LIBRARY=$work/here/libnrt.so.1 "$posecam" devices >/dev/null 2>&1 || true
[ -e "$work/ran" ] || fail 'the planted runtime does not work'
