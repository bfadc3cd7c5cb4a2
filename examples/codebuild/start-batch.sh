#!/bin/sh
# Starts a CodeBuild batch with one build for each image that must be built, and one after them that releases all:
#
#   start-batch.sh PROJECT [COMMIT]
#
# The images are those that `longshore plan` names, so that nothing is started for what the registry has already. The
# project needs batches turned on, and both buildspec files in its source.
set -eu

project=${1:?the CodeBuild project}
commit=${2:-$(git rev-parse HEAD)}

buildspec=$(longshore plan --matrix | jq '
  def identifier: gsub("[^A-Za-z0-9]"; "_");
  {
    version: 0.2,
    batch: {"fast-fail": true, "build-graph": (
      map({
        identifier: ("image_" + identifier),
        buildspec: "buildspec-image.yml",
        env: {variables: {LONGSHORE_IMAGE: .}}
      })
      + [{identifier: "release", buildspec: "buildspec.yml"}
        + if . == [] then {} else {"depend-on": map("image_" + identifier)} end]
    )}
  }')

aws codebuild start-build-batch --project-name "$project" --source-version "$commit" \
  --buildspec-override "$buildspec" --query buildBatch.id --output text
