#!/bin/bash
# includes.sh ROOT: fails when an #include of the project points right in the order of rooms below, when a folder with sources
# is no room, when app includes elements (it reaches them by factory name only), or when GStreamer is used left of elements.
# --self-test: proves that each kind of violation is found.
set -euo pipefail

# From left to right; a folder belongs to the longest room that its path starts with.
readonly rooms="
  models/core models/spec models/make models/store models/training
  postprocess/decode postprocess/draw postprocess/stage postprocess/documents postprocess/eval
  pipeline/backend pipeline/image pipeline/output pipeline/engine
  pipeline/neuron/neff pipeline/neuron/nrt pipeline/neuron/machine pipeline/cpu pipeline/neuron/report
  pipeline/neuron/compile pipeline/neuron/runtime pipeline/neuron/adopt pipeline/neuron/sim pipeline/devices pipeline/settings
  elements/base elements/meta elements/infer elements/json elements/overlay elements
  app/pictures app/session app/cli app/bench app/profile app/cost app/eval app/commands app"

check() {
  cd "$1"
  find app elements models pipeline postprocess \( -name '*.c' -o -name '*.cpp' -o -name '*.h' \) | LC_ALL=C sort | xargs awk -v rooms="$rooms" '
    BEGIN {
      n = split(rooms, order)
      for (i = 1; i <= n; ++i) rank[order[i]] = i
    }
    function room(path) {
      while (sub(/\/[^\/]*$/, "", path)) if (path in rank) return path
      return ""
    }
    function bad(why) { printf "%s:%d: %s: %s\n", FILENAME, FNR, why, $0; failed = 1 }
    FNR == 1 { here = room(FILENAME); if (here == "") bad("this folder is none of the rooms in tests/tree/includes.sh") }
    match($0, /^[ \t]*#[ \t]*include[ \t]*[<"][^>"]+[>"]/) {
      target = $0
      sub(/^[^<"]*/, "", target)
      quoted = substr(target, 1, 1) == "\""
      gsub(/[<>"]/, "", target); sub(/[ \t].*/, "", target)
      there = room(target)
      if (quoted && there == "") bad("include from the root of the project, as \"models/core/...\"")
      else if (here ~ /^app/ && there ~ /^elements/) bad("app reaches elements by factory name only")
      else if (rank[there] > rank[here]) bad(here " must not include " there)
      if (here !~ /^(elements|app)/ && target ~ /^(gst\/|glib)/) bad("GStreamer is for elements and app")
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
  mkdir -p "$tree"/{app,elements,models,pipeline,postprocess}
  printf '#include "pipeline/engine/engine.h"\n#include <gst/gst.h>\n#include <vector>\n' >"$tree/elements/good.cpp"
  check "$tree"
  expect_found models/core/a.h '#include "postprocess/decode/boxes/nms.h"'
  expect_found models/core/a.h '#include "models/spec/zoo.h"'
  expect_found postprocess/draw/a.cpp '#  include "pipeline/engine/engine.h"'
  expect_found pipeline/engine/a.cpp '#include "pipeline/devices/devices.h"'
  expect_found pipeline/devices/a.cpp '#include <elements/a.h>'
  expect_found elements/json/a.cpp '#include "elements/overlay/a.h"'
  expect_found elements/a.cpp '#include "app/main.h"'
  expect_found app/a.cpp '#include "elements/neuroninfer.h"'
  expect_found app/session/a.h '#include "app/cli/console.h"'
  expect_found app/bench/a.cpp '#include "app/commands/run_options.h"'
  expect_found models/core/a.cpp '#include "tests/support/shared.h"'
  expect_found pipeline/engine/a.c '#include <gst/gst.h>'
  expect_found models/core/a.cpp '#include "tensor.h"'
  expect_found models/a.cpp '#include <vector>'
}

if [ "$1" = --self-test ]; then self_test; else check "$1"; fi
