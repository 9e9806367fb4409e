#!/bin/bash
# includes.sh ROOT: fails when an #include of the project points right in models <- postprocess <- pipeline <- elements <- app,
# when app includes elements (it reaches them by factory name only), or when GStreamer is used left of elements.
# --self-test: proves that each kind of violation is found.
set -euo pipefail

check() {
  cd "$1"
  find app elements models pipeline postprocess \( -name '*.c' -o -name '*.cpp' -o -name '*.h' \) | LC_ALL=C sort | xargs awk '
    BEGIN {
      split("models postprocess pipeline elements app", order)
      for (i in order) rank[order[i]] = i
    }
    function bad(why) { printf "%s:%d: %s: %s\n", FILENAME, FNR, why, $0; failed = 1 }
    match($0, /^[ \t]*#[ \t]*include[ \t]*[<"][^>"]+[>"]/) {
      target = $0
      sub(/^[^<"]*/, "", target)
      quoted = substr(target, 1, 1) == "\""
      gsub(/[<>"]/, "", target); sub(/[ \t].*/, "", target)
      split(FILENAME, from, "/"); split(target, to, "/")
      if (quoted && !(to[1] in rank)) bad("include from the root of the project, as \"models/...\"")
      else if (rank[to[1]] > rank[from[1]]) bad(from[1] " must not include " to[1])
      else if (from[1] == "app" && to[1] == "elements") bad("app reaches elements by factory name only")
      if (rank[from[1]] < rank["elements"] && target ~ /^(gst\/|glib)/) bad("GStreamer is for elements and app")
    }
    END { exit failed }'
}

# expect_found FILE LINE: a tree whose one source has this line is rejected.
expect_found() {
  mkdir -p "$tree/$(dirname "$1")"
  printf '%s\n' "$2" >"$tree/$1"
  if (check "$tree") >/dev/null; then
    echo "not found: $2 in $1" >&2
    exit 1
  fi
  rm "$tree/$1"
}

self_test() {
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' EXIT
  mkdir "$tree"/{app,elements,models,pipeline,postprocess}
  printf '#include "pipeline/engine.h"\n#include <gst/gst.h>\n#include <vector>\n' >"$tree/elements/good.cpp"
  check "$tree"
  expect_found models/a.h '#include "postprocess/nms.h"'
  expect_found postprocess/a.cpp '#  include "pipeline/engine.h"'
  expect_found pipeline/openvino/a.cpp '#include <elements/a.h>'
  expect_found elements/a.cpp '#include "app/main.h"'
  expect_found app/a.cpp '#include "elements/neuroninfer.h"'
  expect_found models/a.cpp '#include "tests/support/shared.h"'
  expect_found pipeline/a.c '#include <gst/gst.h>'
  expect_found models/a.cpp '#include "tensor.h"'
}

if [ "$1" = --self-test ]; then self_test; else check "$1"; fi
