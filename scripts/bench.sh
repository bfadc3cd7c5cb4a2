#!/usr/bin/env bash
# Longshore against what people use today: the shell script of the guides, docker buildx bake, skopeo, buildah, crane. See BENCHMARKS.md.
#
#   make bench                    five rounds, images of 250 + 60 + 1 MB
#   SCALE=0.2 ROUNDS=3 make bench smaller images, fewer rounds
#   LONGSHORE=FILE make bench     that binary, and only what is compared with others
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/common.sh

[ "$(id -u)" -eq 0 ] || fail "the benchmark starts a Docker daemon of its own, and only root may" "run it as root"
scripts/setup.sh test
export PATH="$PATH:$PWD/.venv/bin"
if ! have buildah && have apt-get; then
  say "packages: installing buildah, to compare with"
  mkdir -p target/setup
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends buildah >target/setup/bench.log 2>&1 ||
    say "packages: buildah cannot be had; going on without"
fi
if [ -n "${LONGSHORE:-}" ]; then
  longshore=$(realpath "$LONGSHORE")
else
  say "longshore: cargo build --release"
  cargo build --release --locked
  longshore=$(realpath "${CARGO_TARGET_DIR:-target}/release/longshore")
  say "plans, tag rules, lifecycle policies, .dockerignore, compression: cargo bench"
  cargo bench --locked --quiet --bench plan --bench tags --bench lifecycle --bench context --bench compression
fi

mkdir -p target
work=$(mktemp -d)
trap 'umount "$work"/docker/overlay2/* 2>/dev/null || true; rm -rf "$work"' EXIT
# A network and mounts of its own: names that mean loopback, and certificates, which nobody else sees.
# shellcheck disable=SC2016 # the inner shell expands it
unshare --net --mount bash -euc '
  ip link set lo up
  printf "127.0.0.1 localhost\n127.0.54.1 %s\n127.0.54.2 %s\n127.0.54.3 %s\n" \
    123456789012.dkr.ecr.eu-central-1.amazonaws.com 123456789012.dkr.ecr.eu-west-1.amazonaws.com mirror.bench.test >"$1/hosts"
  mount --bind "$1/hosts" /etc/hosts
  mkdir -p /etc/docker
  mount -t tmpfs bench /etc/docker
  exec python3 scripts/bench.py "$@"
' bench "$work" "$longshore" "$PWD/target/bench-table.md"
say "the table is in target/bench-table.md; BENCHMARKS.md holds the last one that was kept"
