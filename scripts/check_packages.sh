#!/bin/bash
# check_packages.sh [SUITE=FILE...]: do the lists of scripts/packages install on Debian 12, Debian 13 and Ubuntu 24.04?
# Each list is resolved with its dependencies, by apt with folders of its own; nothing is installed. The index of a suite
# comes from the archive that this machine's apt uses for that distribution, or from FILEs (Packages, or Packages.xz and
# .gz): noble=Packages-main.xz noble=Packages-universe.xz. Exit: 0 all resolve, 1 some do not, 2 a suite was not checked.
set -euo pipefail
cd "$(dirname "$0")/packages"
files=("$@")
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
status=0

# own COMMAND...: apt with the folders of the suite in hand, and of the index only what names and dependencies need.
own() {
  "$1" -o Dir::Etc::SourceList="$root/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State="$root" \
    -o Dir::State::status="$root/status" -o Dir::Cache="$root" -o Debug::NoLocking=1 -o Acquire::Languages=none \
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o APT::Sandbox::User=root "${@:2}"
}

# index DISTRIBUTION SUITE COMPONENTS: makes $root know the suite; fails, and says why, where it cannot.
index() {
  local file archive keyring=/usr/share/keyrings/${1,,}-archive-keyring.gpg
  root=$here/$2
  mkdir -p "$root"/{lists,archives}/partial
  : >"$root/status"
  for file in "${files[@]}"; do
    [ "${file%%=*}" != "$2" ] || xzcat -f <(zcat -f "${file#*=}") >>"$root/Packages"
  done
  if [ -s "$root/Packages" ]; then
    echo "deb [trusted=yes] copy:$root ./" >"$root/sources.list"
  else
    archive=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(SITE)' | awk -v name="$1" '$1 == name && $2 == name { print $3; exit }')
    [ -n "$archive" ] || { echo "no archive of $1 among the sources of this machine's apt"; return 1; }
    [ ! -f "$keyring" ] || archive="[signed-by=$keyring] $archive"
    echo "deb $archive $2 $3" >"$root/sources.list"
  fi
  own apt-get -q update >"$root/log" 2>&1 && ! grep '^[EW]:' "$root/log"
}

# resolves NAME LIST...: can the packages of these lists be installed together, and how much are they with all they depend on?
resolves() {
  local name=$1 answer
  shift
  answer=$(own apt-get -q --assume-no --no-install-recommends install $(grep -hv -e '^#' -e '^$' "${@/%/.txt}") 2>&1 || true)
  if grep -q '^After this operation' <<<"$answer"; then
    echo "$name: $*: all there;$(sed -n 's/^Need to get \(.*\) of archives.*/ \1 to fetch,/p; s/^After this operation, \(.* [kMG]B\) .*/ \1 on disk/p' <<<"$answer" | tr -d '\n')"
  else
    echo "$name: $*: cannot be installed"
    grep -v -e ' newly installed' -e '^\(Reading\|Building\) ' <<<"$answer" | sed 's/^/    /'
    status=1
  fi
}

check() {
  local name=$1 why
  if ! index "$2" "$3" "$4" >"$here/why"; then
    why=$(tr '\n' ' ' <"$here/why")
    echo "$name: NOT CHECKED: $why"
    [ $status -ne 0 ] || status=2
    return
  fi
  resolves "$name" build
  resolves "$name" build run
  resolves "$name" build run develop
}

check "Debian 12" Debian bookworm main
check "Debian 13" Debian trixie main
check "Ubuntu 24.04" Ubuntu noble "main universe"
exit $status
