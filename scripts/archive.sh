#!/usr/bin/env bash
# Builds the binary for one target and packs it as the action wants to download it:
#
#   archive.sh vX.Y.Z TARGET FOLDER
#
# writes longshore-vX.Y.Z-TARGET.tar.gz and its SHA-256 beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/common.sh

version=${1:?the version, as in v1.2.3} target=${2:?the target, as in x86_64-unknown-linux-gnu} folder=${3:?the folder}
declared=v$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml)
[ "$version" = "$declared" ] || fail "the tag is $version, but Cargo.toml says $declared" "tag the commit that raises the version"

profile=${ARCHIVE_PROFILE:-release}
cargo build --profile "$profile" --locked --target "$target"
[ "$profile" = dev ] && profile=debug
built=${CARGO_TARGET_DIR:-target}/$target/$profile

name=longshore-$version-$target.tar.gz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install -m 755 "$built/longshore" "$work/longshore"
install -m 644 LICENSE-APACHE LICENSE-MIT README.md CHANGELOG.md "$work/"
mkdir -p "$folder"
tar -czf "$folder/$name" -C "$work" longshore LICENSE-APACHE LICENSE-MIT README.md CHANGELOG.md
cd "$folder"
if have sha256sum; then sha256sum "$name"; else shasum -a 256 "$name"; fi >"$name.sha256"
cat "$name.sha256"
