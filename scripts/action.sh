#!/usr/bin/env bash
# The GitHub action's two steps: `action.sh install` puts `longshore` on the job's PATH, `action.sh run` runs it and sets
# the outputs. Everything comes in as variables; see action.yml.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The runner reads annotations from stdout, and so must get them from within a command substitution as well.
exec 3>&1

# An annotation on the workflow run; its data may hold no bare newline or percent sign.
fail() {
  local text=$1
  text=${text//'%'/'%25'}
  text=${text//$'\r'/'%0D'}
  printf '::error title=longshore::%s\n' "${text//$'\n'/'%0A'}" >&3
  exit 2
}

target() {
  case "$RUNNER_OS-$RUNNER_ARCH" in
    Linux-X64) echo x86_64-unknown-linux-gnu ;;
    Linux-ARM64) echo aarch64-unknown-linux-gnu ;;
    macOS-ARM64) echo aarch64-apple-darwin ;;
    macOS-X64) echo x86_64-apple-darwin ;;
    *) fail "no release of Longshore for $RUNNER_OS on $RUNNER_ARCH; use \`version: source\`" ;;
  esac
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# Where the runner keeps tools between jobs, laid out as GitHub's own actions do it: a folder, and a file beside it that
# says that the folder is whole.
cache() { echo "${RUNNER_TOOL_CACHE:-$RUNNER_TEMP}/longshore/$1/$(tr '[:upper:]' '[:lower:]' <<<"$RUNNER_ARCH")"; }

# Moves what was made ready into the cache; another job may have done so first.
keep() {
  local made=$1 folder=$2 mark=$3
  mkdir -p "$(dirname "$folder")"
  rm -rf "$folder"
  mv "$made" "$folder" 2>/dev/null || [ -x "$folder/longshore" ]
  echo "$mark" >"$folder.complete"
}

download() {
  local version=$1 folder name url expected actual work
  [[ "$version" =~ ^v[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*$ ]] ||
    fail "\`$version\` is not a version of Longshore; write \`vX.Y.Z\` or \`source\`"
  name="longshore-$version-$(target).tar.gz"
  folder=$(cache "${version#v}")
  if [ -x "$folder/longshore" ] && [ -e "$folder.complete" ]; then
    case "${INPUT_CHECKSUM:-}" in '' | "$(cat "$folder.complete")") bin=$folder && return ;; esac
  fi
  url="${LONGSHORE_RELEASES:-${GITHUB_SERVER_URL:-https://github.com}/$ACTION_REPOSITORY/releases/download}/$version"
  work=$(mktemp -d "$RUNNER_TEMP/longshore-XXXXXX")
  fetch() { curl --fail --silent --show-error --location --retry 3 --output "$2" "$1" || fail "cannot download \`$1\`"; }
  fetch "$url/$name" "$work/$name"
  expected=${INPUT_CHECKSUM:-}
  if [ -z "$expected" ]; then
    fetch "$url/$name.sha256" "$work/$name.sha256"
    expected=$(cut -d ' ' -f 1 "$work/$name.sha256")
  fi
  actual=$(sha256 "$work/$name")
  [ "$actual" = "$expected" ] || fail "\`$name\` has the SHA-256 $actual, not $expected"
  mkdir "$work/bin"
  tar -xzf "$work/$name" -C "$work/bin" longshore
  keep "$work/bin" "$folder" "$actual"
  rm -rf "$work"
  bin=$folder
}

# Builds the action's own checkout, unless this very source was built before.
build() {
  local key folder
  command -v cargo >/dev/null || fail "\`version: source\` needs cargo, which is not on PATH"
  key=$(cd "$source" && find Cargo.toml Cargo.lock src -type f -exec cksum {} + | LC_ALL=C sort | sha256 - | cut -c 1-16)
  folder=$(cache "source-$key")
  if [ ! -e "$folder.complete" ]; then
    echo "::group::Build Longshore"
    cargo install --locked --path "$source" --root "$RUNNER_TEMP/longshore" --target-dir "$RUNNER_TEMP/longshore/target"
    echo "::endgroup::"
    keep "$RUNNER_TEMP/longshore/bin" "$folder" "$key"
  fi
  bin=$folder
}

# Sets `bin` to the folder of the binary, which is not asked for in a subshell so that `fail` ends the step.
install() {
  local version=${INPUT_VERSION:-} bin
  if [ -z "$version" ]; then
    case "${ACTION_REF:-}" in v*.*.*) version=$ACTION_REF ;; *) version=source ;; esac
  fi
  if [ "$version" = source ]; then
    build
  elif [ -z "${INPUT_CHECKSUM:-}" ] && [ "$(longshore --version 2>/dev/null)" = "longshore ${version#v}" ]; then
    echo "longshore ${version#v} is on PATH already"
    return
  else
    download "$version"
  fi
  echo "$bin" >>"$GITHUB_PATH"
}

# The lines of an input that are not empty, as a JSON list. Commas separate too where a second argument says so.
list() {
  jq -n --arg text "$1" --arg commas "${2:-}" '
    $text | if $commas == "" then . else gsub(","; "\n") end
    | split("\n") | map(sub("^\\s+"; "") | sub("\\s+$"; "")) | map(select(. != ""))'
}

# build-push-action's secrets come by value. The value goes to the builder as a variable of ours, so that it stands in no
# file and no list of processes.
export_secrets() {
  local line number=0
  while IFS= read -r line; do
    [ -n "${line// /}" ] || continue
    [[ "$line" == ?*=* ]] || fail "a line of \`secrets\` is not of the form \`id=value\`"
    number=$((number + 1))
    export "LONGSHORE_SECRET_$number=${line#*=}"
    printf '%s=LONGSHORE_SECRET_%d\n' "${line%%=*}" "$number" >&4
  done 4>"$RUNNER_TEMP/longshore-secrets" <<<"${INPUT_SECRETS:-}"
  secrets=$(cat "$RUNNER_TEMP/longshore-secrets")
  rm -f "$RUNNER_TEMP/longshore-secrets"
}

# A pipeline file of one image, from inputs that are named as those of build-push-action. JSON is YAML, and a doubled `$`
# is one that no variable follows.
single() {
  local file=${INPUT_FILE:-}
  # The action means it from the working directory, a pipeline file from the context.
  case "$file" in '' | /*) ;; *) file=$PWD/$file ;; esac
  jq -n \
    --arg repository "$INPUT_REPOSITORY" --arg context "${INPUT_CONTEXT:-.}" --arg file "$file" \
    --argjson tags "$(list "${INPUT_TAGS:-}")" --argjson flavor "$(list "${INPUT_FLAVOR:-}")" \
    --arg target "${INPUT_TARGET:-}" --argjson platforms "$(list "${INPUT_PLATFORMS:-}" ,)" \
    --argjson args "$(list "${INPUT_BUILD_ARGS:-}")" --argjson contexts "$(list "${INPUT_BUILD_CONTEXTS:-}")" \
    --argjson labels "$(list "${INPUT_LABELS:-}")" --argjson hosts "$(list "${INPUT_ADD_HOSTS:-}")" \
    --argjson envs "$(list "${INPUT_SECRET_ENVS:-}"$'\n'"$secrets")" --argjson files "$(list "${INPUT_SECRET_FILES:-}")" \
    --argjson ssh "$(list "${INPUT_SSH:-}")" --arg network "${INPUT_NETWORK:-}" --arg shm "${INPUT_SHM_SIZE:-}" \
    --argjson ulimit "$(list "${INPUT_ULIMIT:-}")" --argjson allow "$(list "${INPUT_ALLOW:-}" ,)" \
    --argjson from "$(list "${INPUT_CACHE_FROM:-}")" --argjson to "$(list "${INPUT_CACHE_TO:-}")" \
    --arg no_cache "${INPUT_NO_CACHE:-}" --argjson filters "$(list "${INPUT_NO_CACHE_FILTERS:-}" ,)" \
    --arg pull "${INPUT_PULL:-}" --arg provenance "${INPUT_PROVENANCE:-}" --arg sbom "${INPUT_SBOM:-}" '
    def flag: if test("^(true|True|TRUE)$") then true elif test("^(false|False|FALSE)$") then false else . end;
    {
      version: 1,
      images: {($repository | split("/") | last): {
        build: ({
          context: $context, dockerfile: $file, target: $target, platforms: $platforms, args: $args, labels: $labels,
          additional_contexts: $contexts, extra_hosts: $hosts, secret_envs: $envs, secret_files: $files, ssh: $ssh,
          network: $network, shm_size: $shm, ulimits: $ulimit, entitlements: $allow, cache_from: $from, cache_to: $to,
          no_cache: ($no_cache | flag), no_cache_filter: $filters, pull: ($pull | flag),
          provenance: ($provenance | flag), sbom: ($sbom | flag)
        } | with_entries(select(.value != "" and .value != []))),
        repository: $repository,
        tags: (if $tags == [] then ["semver", "sha", "branch"] else $tags end),
        flavor: $flavor
      } | with_entries(select(.value != []))}
    } | walk(if type == "string" then gsub("\\$"; "$$") else . end)'
}

# The inputs that mean something for a single image only, as they are written in a workflow.
only_single=(tags flavor context file target platforms build-args build-contexts labels secrets secret-envs secret-files
  ssh add-hosts network shm-size ulimit allow cache-from cache-to no-cache no-cache-filters pull provenance sbom)

check_inputs() {
  local name variable
  case "$1" in
    run | plan) ;;
    promote) [ -n "${INPUT_ARGUMENTS:-}" ] || fail "\`command: promote\` needs \`arguments\`: what to promote, and \`--to\` with its tags" ;;
    *) fail "\`command\` is \`run\`, \`plan\` or \`promote\`, not \`$1\`" ;;
  esac
  if [ -n "${INPUT_REPOSITORY:-}" ]; then
    [ -z "${INPUT_PIPELINE:-}" ] || fail "\`repository\` is for a single image without a pipeline file; leave out \`pipeline\`"
    return
  fi
  for name in "${only_single[@]}"; do
    variable=INPUT_$(tr 'a-z-' 'A-Z_' <<<"$name")
    [ -z "${!variable:-}" ] || fail "\`$name\` is for a single image, which needs \`repository\`; with a pipeline file it stands there"
  done
}

run() {
  local command=${INPUT_COMMAND:-run} images=() arguments pipeline='' secrets='' line
  check_inputs "$command"
  cd "${INPUT_WORKING_DIRECTORY:-.}" || fail "no folder \`$INPUT_WORKING_DIRECTORY\`, which \`working-directory\` names"

  arguments=("$command")
  if [ -n "${INPUT_REPOSITORY:-}" ]; then
    export_secrets
    pipeline=$(single)
    arguments+=(--file -)
  elif [ -n "${INPUT_PIPELINE:-}" ]; then
    arguments+=(--file "$INPUT_PIPELINE")
  fi
  [ "$command" = plan ] || arguments+=(--report "${INPUT_REPORT:-$RUNNER_TEMP/longshore-report.json}")
  [ -z "${INPUT_ENVIRONMENT:-}" ] || arguments+=(--env "$INPUT_ENVIRONMENT")
  [ -z "${INPUT_REGISTRY:-}" ] || arguments+=(--registry "$INPUT_REGISTRY")
  [ -z "${INPUT_REGION:-}" ] || arguments+=(--region "$INPUT_REGION")
  while IFS= read -r line; do [ -z "$line" ] || arguments+=("$line"); done <<<"${INPUT_ARGUMENTS:-}"
  read -r -d '' -a images <<<"${INPUT_IMAGES:-}" || true
  # After `--`, no name can be taken for a flag.
  [ ${#images[@]} -eq 0 ] || arguments+=(-- "${images[@]}")

  # The program itself sets the step's outputs.
  if [ -n "$pipeline" ]; then longshore "${arguments[@]}" <<<"$pipeline"; else longshore "${arguments[@]}"; fi
}

case "${1:-}" in
  install) install ;;
  run) run ;;
  *) fail "unknown step \`${1:-}\`" ;;
esac
