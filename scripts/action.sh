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

# Sets an output of the step, of any number of lines. The delimiter cannot be known to whoever made the value.
set_output() {
  local delimiter
  delimiter=longshore_$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '%s<<%s\n%s\n%s\n' "$1" "$delimiter" "$2" "$delimiter" >>"$GITHUB_OUTPUT"
}

target() {
  case "$RUNNER_OS-$RUNNER_ARCH" in
    Linux-X64) echo x86_64-unknown-linux-gnu ;;
    Linux-ARM64) echo aarch64-unknown-linux-gnu ;;
    macOS-ARM64) echo aarch64-apple-darwin ;;
    *) fail "no release of Longshore for $RUNNER_OS on $RUNNER_ARCH; use \`version: source\`" ;;
  esac
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

download() {
  local version=$1 bin=$2 name url expected actual
  [[ "$version" =~ ^v[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*$ ]] ||
    fail "\`$version\` is not a version of Longshore; write \`vX.Y.Z\` or \`source\`"
  name="longshore-$version-$(target).tar.gz"
  url="${LONGSHORE_RELEASES:-${GITHUB_SERVER_URL:-https://github.com}/$ACTION_REPOSITORY/releases/download}/$version"
  fetch() { curl --fail --silent --show-error --location --retry 3 --output "$2" "$1" || fail "cannot download \`$1\`"; }
  fetch "$url/$name" "$bin/$name"
  expected=${INPUT_CHECKSUM:-}
  if [ -z "$expected" ]; then
    fetch "$url/$name.sha256" "$bin/$name.sha256"
    expected=$(cut -d ' ' -f 1 "$bin/$name.sha256")
  fi
  actual=$(sha256 "$bin/$name")
  [ "$actual" = "$expected" ] || fail "\`$name\` has the SHA-256 $actual, not $expected"
  tar -xzf "$bin/$name" -C "$bin" longshore
}

install() {
  local version=${INPUT_VERSION:-} folder=$RUNNER_TEMP/longshore
  if [ -z "$version" ]; then
    case "${ACTION_REF:-}" in v*.*.*) version=$ACTION_REF ;; *) version=source ;; esac
  fi
  mkdir -p "$folder/bin"
  if [ "$version" = source ]; then
    command -v cargo >/dev/null || fail "\`version: source\` needs cargo, which is not on PATH"
    echo "::group::Build Longshore"
    cargo build --release --locked --manifest-path "$source/Cargo.toml" --target-dir "$folder/target"
    echo "::endgroup::"
    cp "$folder/target/release/longshore" "$folder/bin/"
  else
    download "$version" "$folder/bin"
  fi
  echo "$folder/bin" >>"$GITHUB_PATH"
}

run() {
  local code=0 file=() images=() arguments
  cd "${INPUT_WORKING_DIRECTORY:-.}" || fail "no folder \`$INPUT_WORKING_DIRECTORY\`, which \`working-directory\` names"
  local report=${INPUT_REPORT:-$RUNNER_TEMP/longshore-report.json} pushed=$RUNNER_TEMP/longshore-pushed.txt

  arguments=(--report "$report" --progress plain)
  [ -z "${INPUT_FILE:-}" ] || file=(-f "$INPUT_FILE")
  arguments+=(${file[@]+"${file[@]}"})
  [ -z "${INPUT_ENVIRONMENT:-}" ] || arguments+=(--env "$INPUT_ENVIRONMENT")
  [ -z "${INPUT_REGISTRY:-}" ] || arguments+=(--registry "$INPUT_REGISTRY")
  [ -z "${INPUT_REGION:-}" ] || arguments+=(--region "$INPUT_REGION")
  # What an earlier run left there must not pass for this one's.
  rm -f "$report"
  read -r -d '' -a images <<<"${INPUT_IMAGES:-}" || true
  # After `--`, no name can be taken for a flag.
  [ ${#images[@]} -eq 0 ] || arguments+=(-- "${images[@]}")

  longshore run "${arguments[@]}" >"$pushed" || code=$?

  cat "$pushed"
  set_output references "$(cut -d ' ' -f 1 "$pushed")"
  set_output digest "$(head -n 1 "$pushed" | cut -d ' ' -f 2)"
  [ ! -e "$report" ] || set_output report "$(cat "$report")"
  [ $code -ne 0 ] || set_output image-definitions "$(image_definitions ${file[@]+"${file[@]}"})"
  return $code
}

# The path of the first file for CodePipeline's ECS deploy action; relative names are meant from the pipeline file's folder.
image_definitions() {
  local folder=$PWD name
  name=$(longshore config "$@" --json | jq -r '.outputs.image_definitions[0] // empty')
  [ -n "$name" ] || return 0
  if [ -n "${INPUT_FILE:-}" ]; then
    folder=$(cd "$(dirname "$INPUT_FILE")" && pwd)
  else
    while [ ! -e "$folder/longshore.yaml" ] && [ "$folder" != / ]; do folder=$(dirname "$folder"); done
  fi
  case "$name" in /*) echo "$name" ;; *) echo "$folder/$name" ;; esac
}

case "${1:-}" in
  install) install ;;
  run) run ;;
  *) fail "unknown step \`${1:-}\`" ;;
esac
