#!/bin/bash
# attack.sh [BUILD_DIR]: attacks posecam for MINUTES (30) with what tests/attack has, other numbers each time unless SEED says
# which. KINDS="clip disk" names some. Ends with a table: attack, tries, findings; fails with a finding, whose files are in
# BUILD_DIR/attacks.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
# shellcheck disable=SC2086  # KINDS is a list
exec python3 tests/attack/attack.py --minutes "${MINUTES:-30}" ${SEED:+--seed "$SEED"} --keep "$build/attacks" \
  "$build/bin/posecam" ${KINDS:-}
