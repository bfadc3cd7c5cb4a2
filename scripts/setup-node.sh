#!/usr/bin/env bash
# Puts action-validator, which knows the schemas of GitHub's files, into target/setup/node. A tool only: nothing of it is
# linked or shipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/common.sh

version=0.6.0
folder=target/setup/node
[ "$(cat "$folder/version" 2>/dev/null)" = "$version" ] && exit
say "action: installing action-validator $version"
mkdir -p "$folder"
npm install --no-audit --no-fund --ignore-scripts --no-save --silent --prefix "$folder" \
  "@action-validator/cli@$version" "@action-validator/core@$version" >&2
echo "$version" >"$folder/version"
