#!/usr/bin/env bash
# rustc for scripts/fuzz.sh: has our own crate count what it reaches, in the form that libFuzzer reads.
set -euo pipefail
case " $* " in
*" --crate-name longshore "*)
  exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1
  ;;
*) exec "$@" ;;
esac
