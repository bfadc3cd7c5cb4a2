#!/usr/bin/env bash
# Builds the binary for one target and packs it as the action wants to download it:
#
#   archive.sh vX.Y.Z TARGET FOLDER
#
# writes longshore-vX.Y.Z-TARGET.tar.gz and its SHA-256 beside it. ARCHIVE_BINARY names a binary that is built already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/common.sh

version=${1:?the version, as in v1.2.3} target=${2:?the target, as in x86_64-unknown-linux-gnu} folder=${3:?the folder}
declared=v$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml)
[ "$version" = "$declared" ] || fail "the tag is $version, but Cargo.toml says $declared" "tag the commit that raises the version"

built=${ARCHIVE_BINARY:-}
if [ -z "$built" ]; then
  cargo build --release --locked --target "$target"
  built=${CARGO_TARGET_DIR:-target}/$target/release/longshore
fi

name=longshore-$version-$target.tar.gz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install -m 755 "$built" "$work/longshore"
install -m 644 LICENSE-APACHE LICENSE-MIT README.md CHANGELOG.md "$work/"
# The README leads there.
mkdir "$work/docs"
install -m 644 docs/*.md "$work/docs/"
mkdir -p "$folder"
tar -czf "$folder/$name" -C "$work" longshore LICENSE-APACHE LICENSE-MIT README.md CHANGELOG.md docs
cd "$folder"
if have sha256sum; then sha256sum "$name"; else shasum -a 256 "$name"; fi >"$name.sha256"
cat "$name.sha256"
