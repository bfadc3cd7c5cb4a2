#!/usr/bin/env bash
# Everything that has to pass: formatting, lints, licences, scripts, and the tests against real programs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/common.sh

scripts/setup.sh test
# At the end: a tool that the machine has already wins.
export PATH="$PATH:$PWD/.venv/bin"

if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
  have rustup || fail "\`cargo fmt\` or \`cargo clippy\` is missing" "install rustfmt and clippy for this toolchain"
  say "rust: adding rustfmt and clippy"
  rustup --quiet component add rustfmt clippy
fi

say "format: cargo fmt --check"
cargo fmt --check

say "action: action-validator"
if have npm; then
  scripts/setup-node.sh
  for file in action.yml examples/github-actions/*.yml .github/workflows/*.yml; do target/setup/node/node_modules/.bin/action-validator "$file"; done
else
  say "action: not validated by action-validator, which needs npm; the tests check what matters of it"
fi

say "scripts: shellcheck"
shellcheck -x .ci/run scripts/*.sh examples/codebuild/*.sh

say "lints: cargo clippy"
cargo clippy --all-targets --locked -- -D warnings

if ! cargo deny --version >/dev/null 2>&1; then
  say "licences: installing cargo-deny (about three minutes, once)"
  cargo install cargo-deny --locked --quiet --version '^0.20'
fi
say "licences, bans, sources: cargo deny"
cargo fetch --locked --quiet
cargo deny --locked --offline check licenses bans sources

# The database of advisories changes without our doing, so what it says is told, but fails nothing here.
if timeout 20 git ls-remote --quiet https://github.com/RustSec/advisory-db HEAD >/dev/null 2>&1; then
  say "advisories: cargo deny"
  cargo deny --locked check advisories || say "advisories: see above"
else
  say "advisories: not checked, the advisory database cannot be reached from here"
fi

say "tests: cargo test"
cargo test --locked
say "all passed"
