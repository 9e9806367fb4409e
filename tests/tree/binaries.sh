#!/bin/bash
# binaries.sh FOLDER...: every program and library below looks for libraries in folders that nobody else can make, and
# those that users get are hardened as Debian hardens its packages. Links are followed, but only to files below.
# binaries.sh --self-test CC: finds each kind of fault in programs made to have it.
set -euo pipefail

# What users get. Tests and benchmarks are theirs who build.
readonly hardened='/(posecam|libgstneuron\.so|libneuronmeta\.so[.0-9]*|libposecam-stages\.so|libnrt\.so[.0-9]*)$'

faults_of() {
  local file=$1 dynamic entry
  dynamic=$(readelf -dW "$file" 2>/dev/null) || return 0
  [ -n "$dynamic" ] || return 0
  while read -r path; do
    while IFS= read -r entry; do
      case $entry in
        /* | '$ORIGIN' | '$ORIGIN/'*) ;;
        *) echo "$file: looks for libraries in '$entry', seen from the current folder" ;;
      esac
    done < <(tr ':' '\n' <<<"$path")
  done < <(sed -n 's/.*(R\(UN\)\?PATH).*\[\(.*\)\]/\2/p' <<<"$dynamic")
  [[ $file =~ $hardened ]] || return 0
  grep -qE 'BIND_NOW|FLAGS_1.*NOW' <<<"$dynamic" || echo "$file: lazy binding (-z now)"
  readelf -lW "$file" | grep -q GNU_RELRO || echo "$file: no relro (-z relro)"
  if readelf -lW "$file" | grep -q 'GNU_STACK.*RWE'; then echo "$file: executable stack"; fi
  local symbols
  symbols=$(readelf --dyn-syms -W "$file")
  grep -q '__stack_chk_fail' <<<"$symbols" || echo "$file: no stack protector"
  # A library so small that nothing in it copies has nothing to check; the stages' moves only what std::vector holds.
  if [[ $file != *libposecam-stages.so ]] && grep -qE ' UND (memcpy|memset|memmove|sprintf|snprintf|read|strcpy)@' <<<"$symbols"; then
    grep -qE '_chk@' <<<"$(grep -v __stack_chk_fail <<<"$symbols")" || echo "$file: no _FORTIFY_SOURCE"
  fi
}

if [ "${1:-}" = --self-test ]; then
  cc=$2
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  echo 'int main(void) { return 0; }' >"$work/main.c"
  expect() {
    local words=$1
    shift
    "$cc" "$work/main.c" -o "$work/posecam" "$@"
    grep -q "$words" <<<"$(faults_of "$work/posecam")" || { echo "not found: $words ($*)"; exit 1; }
  }
  expect "in ''" -Wl,-rpath,/usr/lib:
  expect "in ''" -Wl,-rpath,:/usr/lib
  expect "in 'lib'" -Wl,-rpath,lib
  expect "in '\.'" -Wl,-rpath,.
  expect 'lazy binding' -Wl,-z,lazy
  expect 'no relro' -Wl,-z,norelro
  expect 'executable stack' -Wl,-z,execstack
  expect 'no stack protector' -fno-stack-protector
  exit 0
fi

count=0
faults=''
while IFS= read -r file; do
  count=$((count + 1))
  found=$(faults_of "$file")
  faults+=${found:+$found$'\n'}
done < <(find "$@" -type f \( -perm -u+x -o -name '*.so*' \) -not -path '*/CMakeFiles/*')
[ "$count" -gt 0 ] || { echo "no program below $*"; exit 1; }
[ -z "$faults" ] || { printf '%s' "$faults"; exit 1; }
