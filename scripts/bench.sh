#!/usr/bin/env bash
# `longshore run` against the shell script that it replaces: the quickstart, pushed to `longshore local` by the same
# daemon, in turn. The builds are cached in both cases, so what is compared is everything else. Prints seconds, and the
# ratio of the medians, which says more than the seconds do.
#
#   RUNS=5 make bench     how many pairs
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/common.sh

runs=${RUNS:-5}
scripts/setup.sh test
export PATH="$PATH:$PWD/.venv/bin"
say "longshore: cargo build --release"
cargo build --release --locked
longshore=$(realpath "${CARGO_TARGET_DIR:-target}/release/longshore")

work=$(mktemp -d)
cleanup() {
  docker image ls --format '{{.Repository}}:{{.Tag}}' --filter 'reference=127.0.0.1:*/quickstart/*' |
    xargs --no-run-if-empty docker image rm >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT
export DOCKER_CONFIG=$work/docker
mkdir "$DOCKER_CONFIG"
scripts/quickstart-repository.sh "$work/quickstart"

# What a pipeline's shell step does: log in, make sure of the repositories, build, tag and push, write the deploy file.
cat >"$work/script" <<'EOS'
set -euo pipefail
aws="aws --endpoint-url $AWS_ENDPOINT_URL_ECR ecr"
$aws get-login-password | docker login --username AWS --password-stdin "$LONGSHORE_REGISTRY"
entries=
for service in web worker; do
  repository=$LONGSHORE_REGISTRY/quickstart/$service
  $aws describe-repositories --repository-names "quickstart/$service" ||
    $aws create-repository --repository-name "quickstart/$service" --image-scanning-configuration scanOnPush=true
  docker build --tag "$repository:1.2.3" "$service"
  for tag in 1.2 1 "$(git rev-parse --short=7 HEAD)" prod; do docker tag "$repository:1.2.3" "$repository:$tag"; done
  docker push --all-tags "$repository"
  entries+=${entries:+,}$(printf '{"name":"%s","imageUri":"%s"}' "$service" "$repository:1.2.3")
done
printf '[%s]' "$entries" >imageDefinitions.json
EOS

# Times one contender against the registry kept in a folder; prints seconds. The start of the registry is not counted.
measure() {
  local data=$1
  shift
  # shellcheck disable=SC2016 # the inner shell expands it
  "$longshore" local --data "$data" --port 0 -- bash -euc '
    work=$1; shift
    cd "$work/quickstart"
    started=$EPOCHREALTIME
    "$@" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
    echo "$started $EPOCHREALTIME" >"$work/times"
  ' measure "$work" "$@" >/dev/null 2>"$work/server.log" || {
    cat "$work/server.log" >&2
    fail "\`$*\` failed"
  }
  awk '{ printf "%.3f\n", $2 - $1 }' "$work/times"
}

median() {
  sort -n | awk '{ n[NR] = $1 } END { print NR % 2 ? n[(NR + 1) / 2] : (n[NR / 2] + n[NR / 2 + 1]) / 2 }'
}

say "tag rules, lifecycle policies, .dockerignore: cargo bench"
cargo bench --locked --bench tags --bench lifecycle --bench context --quiet

say "warming the caches of both"
measure "$work/warm-script" bash "$work/script" >/dev/null
measure "$work/warm-longshore" "$longshore" run >/dev/null
for n in $(seq "$runs"); do
  for contender in script longshore; do
    case $contender in script) command=(bash "$work/script") ;; *) command=("$longshore" run) ;; esac
    first=$(measure "$work/data-$contender-$n" "${command[@]}")
    again=$(measure "$work/data-$contender-$n" "${command[@]}")
    echo "$first" >>"$work/first-$contender"
    echo "$again" >>"$work/again-$contender"
    say "pair $n of $runs, $contender: $first s to an empty registry, $again s again"
  done
done
for case in first again; do
  script=$(median <"$work/$case-script")
  ours=$(median <"$work/$case-longshore")
  awk -v kind="$case" -v script="$script" -v ours="$ours" 'BEGIN {
    what = kind == "first" ? "to an empty registry" : "again, nothing changed"
    printf "%-24s shell script %.2f s, longshore %.2f s, ratio %.2f\n", what, script, ours, ours / script
  }'
done
