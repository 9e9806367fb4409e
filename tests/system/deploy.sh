#!/bin/bash
# The files of configs/deploy and the commands of docs/aws.md, as far as they can be tried without a device.
# What needs systemd or PyYAML is left out where they are missing. deploy.sh SOURCE_DIR POSECAM
set -euo pipefail
readonly source=$1 posecam=$2
export PATH=${posecam%/*}:$PATH
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
die() { echo "FAILED: $*" >&2; exit 1; }
tried=0

# Commands that the page names exist, and so do the options that it gives them.
while read -r command; do
  "$posecam" "$command" --help >"$folder/help" || die "docs/aws.md: no command 'posecam $command'"
  while read -r option; do
    grep -q -e "$option" "$folder/help" || die "docs/aws.md: posecam $command has no option $option"
  done < <(grep -E "^    posecam $command " "$source/docs/aws.md" | sed 's/#.*//' | grep -oE -e '--[a-z-]+' | sort -u)
  tried=$((tried + 1))
done < <(grep -oE '^    posecam [a-z]+' "$source/docs/aws.md" | awk '{print $2}' | sort -u)
[ $tried -ge 4 ] || die "docs/aws.md: only $tried commands were found"

if command -v systemd-analyze >/dev/null; then
  sed "s#/usr/local/bin/posecam#$posecam#" "$source/configs/deploy/posecam@.service" >"$folder/posecam@door.service"
  systemd-analyze verify "$folder/posecam@door.service" || die "posecam@.service"
fi

# The manifest is YAML, and its configuration one of posecam's.
if python3 -c 'import yaml' 2>/dev/null; then
  python3 - "$source/configs/deploy/kubernetes.yaml" >"$folder/door.toml" <<'PY' || die "kubernetes.yaml"
import sys, yaml
config, deployment = yaml.safe_load_all(open(sys.argv[1]))
container = deployment["spec"]["template"]["spec"]["containers"][0]
assert container["resources"]["limits"]["aws.amazon.com/neuroncore"] == 1
assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
print(config["data"]["door.toml"])
PY
  "$posecam" run --config "$folder/door.toml" --print-config | grep -q '^device = "neuron"$' || die "door.toml"
fi
