#!/usr/bin/env bash
# rustc for scripts/fuzz.sh: has our own crate, and those that read text for it, count what they reach, in the
# form that libFuzzer reads.
set -euo pipefail
case " $* " in
*" --crate-name longshore "* | *" --crate-name serde_saphyr "* | *" --crate-name granit_parser "* | \
  *" --crate-name serde_json "* | *" --crate-name hcl "* | *" --crate-name hcl_edit "* | *" --crate-name time "*)
  exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1
  ;;
*) exec "$@" ;;
esac
