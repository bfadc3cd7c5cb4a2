#!/usr/bin/env bash
# From nothing to two images in a registry: sets the machine up, builds Longshore, makes a small git repository of
# examples/quickstart, and runs the pipeline in it against an ECR on loopback. No AWS account, nothing pulled.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/common.sh

scripts/setup.sh demo

say "longshore: cargo build --release"
cargo build --release --locked
target=${CARGO_TARGET_DIR:-target}
longshore=$(realpath "$target/release/longshore")

folder=.demo/quickstart
pushed=.demo/pushed.txt
scripts/quickstart-repository.sh "$folder"

say "longshore: cd $folder && longshore run --local"
started=$SECONDS
# A CI variable of the machine that runs the demonstration must not pass for the demonstration's own.
(cd "$folder" && env -u CI -u GITHUB_ACTIONS -u GITLAB_CI -u JENKINS_URL -u CODEBUILD_BUILD_ID -u LONGSHORE_ENV \
  "$longshore" run --local --data ../registry) >"$pushed"

say "done in $((SECONDS - started)) s; pushed, as REFERENCE DIGEST:"
cat "$pushed"
say "$folder/imageDefinitions.json, for CodePipeline's ECS deploy action:"
cat "$folder/imageDefinitions.json"
