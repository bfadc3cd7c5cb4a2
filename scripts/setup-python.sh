#!/usr/bin/env bash
# Puts what the tests use from PyPI (moto, the AWS CLI, jsonschema) into .venv; quick when it is there already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/common.sh

if cmp -s scripts/requirements.txt .venv/requirements.txt; then
  say "python: .venv is there, with moto, the AWS CLI and jsonschema"
  exit
fi
say "python: installing moto, the AWS CLI and jsonschema into .venv (about a minute)"
log=target/setup/pip.log
mkdir -p "${log%/*}"
{
  python3 -m venv .venv && .venv/bin/python -m pip install --disable-pip-version-check --requirement scripts/requirements.txt
} >"$log" 2>&1 || {
  tail -n 15 "$log" >&2
  fail "cannot install moto, the AWS CLI and jsonschema from PyPI" "the whole log is in $log"
}
# Written last: a folder without it is half made.
cp scripts/requirements.txt .venv/requirements.txt
