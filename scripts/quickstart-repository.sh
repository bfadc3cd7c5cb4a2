#!/usr/bin/env bash
# Makes a git repository of examples/quickstart in the folder given, with a static busybox in each context, committed and
# tagged v1.2.3. The same files give the same commit everywhere: author, dates and file modes are fixed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/common.sh

folder=${1:?the folder to make}
example=examples/quickstart
busybox=$(command -v busybox) || fail "\`busybox\` is not on PATH" "run \`make setup\`"

# What the repository was made from; as long as it holds, the folder is left alone, edits in it included.
made_from() { (cd "$example" && find . -type f -exec sha256sum {} + | sort -k2 && sha256sum <"$busybox"); }

if [ -e "$folder/.git/made-from" ] && cmp -s "$folder/.git/made-from" <(made_from); then
  say "repository: $folder is there, at commit $(git -C "$folder" rev-parse --short HEAD)"
  exit
fi
rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
cp -R "$example" "$folder"
for service in web worker; do install -m 755 "$busybox" "$folder/$service/busybox"; done

# No setting of the user's may change the commit.
quiet_git() {
  GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null \
    GIT_AUTHOR_NAME=Longshore GIT_AUTHOR_EMAIL=demo@example.com GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' \
    GIT_COMMITTER_NAME=Longshore GIT_COMMITTER_EMAIL=demo@example.com GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' \
    git -C "$folder" -c core.autocrlf=false "$@"
}
quiet_git init --quiet --initial-branch=main
quiet_git add --all
quiet_git commit --quiet --message 'Two services'
quiet_git tag v1.2.3
made_from >"$folder/.git/made-from"
say "repository: made $folder from $example, at commit $(git -C "$folder" rev-parse --short HEAD), tag v1.2.3"
