#!/bin/bash
# c_application.sh BUILD SOURCE LIBDIR CC CXX SANITIZERS: installs BUILD into a prefix of its own, and compiles and runs the
# example in C with what pkg-config says of that prefix. The header is C99 and C++11 without a warning.
set -euo pipefail
readonly build=$1 source=$2 libdir=$3 cc=$4 cxx=$5 sanitizers=$6
readonly example=$source/configs/examples/print_keypoints.c
readonly lines_allowed=60
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT

fail() { echo "$*" >&2; exit 1; }

# Moved after the installation: nothing may know the first place.
cmake --install "$build" --prefix "$prefix/first" >/dev/null
mv "$prefix/first" "$prefix/moved"
readonly libs=$prefix/moved/$libdir
export PKG_CONFIG_PATH=$libs/pkgconfig
flags=(-Wall -Wextra -pedantic -Werror ${sanitizers:+-fsanitize=$sanitizers})
read -ra compile < <(pkg-config --cflags neuronmeta)
read -ra link < <(pkg-config --libs neuronmeta)

printf '#include <posecam/neuronmeta.h>\nint main(void) { return 0; }\n' >"$prefix/header.c"
"$cc" -x c -std=c99 "${flags[@]}" "${compile[@]}" -fsyntax-only "$prefix/header.c"
"$cxx" -x c++ -std=c++11 "${flags[@]}" "${compile[@]}" -fsyntax-only "$prefix/header.c"

[ "$(wc -l <"$example")" -le $lines_allowed ] || fail "$example: more than $lines_allowed lines"
"$cc" -std=c99 "${flags[@]}" "$example" -o "$prefix/print_keypoints" "${compile[@]}" "${link[@]}"

# GStreamer's scanner, a program without sanitizers, could not look into a plugin with them: the application does it itself.
# Of the thread-local memory of all those plugins GCC's sanitizers misread some, and their search for leaks dies of it.
[ -z "$sanitizers" ] || export GST_REGISTRY_FORK=no ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}intercept_tls_get_addr=0

# The plugin finds the library by itself; the program, in a place that the loader does not know, is told.
export GST_REGISTRY=$prefix/registry GST_PLUGIN_PATH=$libs/gstreamer-1.0 XDG_DATA_HOME=$prefix
env -u LD_LIBRARY_PATH ldd "$libs/gstreamer-1.0/libgstneuron.so" >"$prefix/needed"
grep -qE "libneuronmeta.so.[0-9]+ => $prefix/moved/" "$prefix/needed" || fail "the plugin misses its library: $(cat "$prefix/needed")"
LD_LIBRARY_PATH=$libs "$prefix/print_keypoints" "$source/media/figures.mp4" openpose-lite >"$prefix/keypoints"
grep -qE '^0:00:0[0-9.]+ person 0 Neck [0-9.]+ [0-9.]+ 0\.[0-9]+$' "$prefix/keypoints" || fail "no keypoints: $(head "$prefix/keypoints")"
frames=$(cut -d' ' -f1 "$prefix/keypoints" | sort -u | wc -l)
[ "$frames" -gt 200 ] || fail "keypoints on $frames frames only"
