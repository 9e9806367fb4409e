#!/bin/bash
# limits.sh ROOT: fails when a header has more than 150 lines, another source more than 400, a function more than 60, or a
# folder more than 24 sources; headers of tests may be as long as sources.
# Functions are found by the formatting: one ends with a lone } as far left as the line stands that it begins with.
# --self-test: proves that each of them is found, and what is just within them is not.
set -euo pipefail

check() {
  cd "$1"
  find app elements models pipeline postprocess tests \( -name '*.c' -o -name '*.cpp' -o -name '*.h' \) | LC_ALL=C sort | xargs awk '
    function bad(where, why) { printf "%s: %s\n", where, why; failed = 1 }
    function end_of_file() {
      most = file ~ /\.h$/ && file !~ /^tests\// ? 150 : 400
      if (lines > most) bad(file, lines " lines, at most " most)
    }
    FNR == 1 {
      if (file != "") end_of_file()
      file = FILENAME
      folder = file; sub(/\/[^\/]*$/, "", folder)
      if (++sources[folder] == 25) bad(folder, "more than 24 sources")
    }
    { lines = FNR }
    /^[A-Za-z]/ { begin[0] = FNR }
    /^  [A-Za-z~]/ { begin[2] = FNR }
    /^}$/ { body(0) }
    /^  }$/ { body(2) }
    function body(indent) {
      if (FNR - begin[indent] - 1 > 60) bad(FILENAME ":" begin[indent], "a function of " FNR - begin[indent] - 1 " lines, at most 60")
    }
    END { end_of_file(); exit failed }'
}

# lines COUNT: that many lines of a source.
lines() { for ((i = 0; i < $1; ++i)); do echo "// line"; done; }

# function_of COUNT INDENT: one with that many lines in its body.
function_of() {
  echo "$2int f() {"
  for ((i = 0; i < $1; ++i)); do echo "$2  value += $i;"; done
  echo "$2}"
}

# expect FINDINGS FILE: what the tree says when this file has the standard input as its content.
expect() {
  local found
  cat >"$tree/$2"
  found=$(check "$tree") || true
  if [ "$(grep -c . <<<"$found")" != "$1" ]; then
    echo "$2: expected $1 findings, found: $found" >&2
    exit 1
  fi
  rm "$tree/$2"
}

self_test() {
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' EXIT
  mkdir -p "$tree"/{app,elements,models,pipeline,postprocess,tests}
  for ((i = 0; i < 23; ++i)); do echo >"$tree/models/$i.h"; done
  lines 150 | expect 0 app/a.h
  lines 151 | expect 1 app/a.h
  lines 400 | expect 0 tests/a.h
  lines 400 | expect 0 app/a.cpp
  lines 401 | expect 1 app/a.cpp
  lines 401 | expect 1 tests/a_test.cpp
  function_of 60 "" | expect 0 app/a.cpp
  function_of 61 "" | expect 1 app/a.cpp
  function_of 60 "  " | expect 0 app/a.cpp
  function_of 61 "  " | expect 1 app/a.cpp
  echo | expect 0 models/a.cpp
  echo >"$tree/models/23.cpp"
  echo | expect 1 models/a.cpp
}

if [ "$1" = --self-test ]; then self_test; else check "$1"; fi
