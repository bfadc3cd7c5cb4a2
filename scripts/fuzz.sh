#!/usr/bin/env bash
# Coverage-guided fuzzing of everything that reads what strangers write, with stable Rust and libFuzzer.
#
#   scripts/fuzz.sh 60            each target for 60 seconds
#   scripts/fuzz.sh 3600 names    one target for an hour
#   scripts/fuzz.sh --keep names  keeps what reaches most, of this target; of all where none is named
#
# Each begins with its seeds, with what was kept, and with the words of fuzz/dictionaries. What is found new is kept in
# target/fuzz/corpus, what fails in target/fuzz/artifacts. fuzz/corpus holds the smallest set
# that reaches as much, an input a line in base64, which `cargo test` feeds again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/common.sh

keep=false seconds=60
case "${1:-}" in
--keep) keep=true && shift ;;
?*) seconds=$1 && shift ;;
esac
mkdir -p target/fuzz/corpus target/fuzz/artifacts
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for file in fuzz/fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi

say "fuzzing: cargo build"
# The same versions as everywhere, so that nothing else need be built.
cp Cargo.lock fuzz/Cargo.lock
# Apart from the ordinary build, whose readers neither count what they reach nor are optimised.
CARGO_TARGET_DIR=target/fuzz/build RUSTC_WRAPPER="$PWD/scripts/fuzz-rustc.sh" cargo build --quiet --manifest-path fuzz/Cargo.toml --bins

binaries=target/fuzz/build/debug

# Writes the inputs of a kept set into a folder, a file for each.
unpack() {
  python3 -c '
import base64, hashlib, pathlib, sys
for line in open(sys.argv[1]) if pathlib.Path(sys.argv[1]).exists() else []:
    data = base64.b64decode(line)
    pathlib.Path(sys.argv[2], hashlib.sha1(data).hexdigest()).write_bytes(data)
' "$1" "$2"
}

# The other way round.
pack() {
  python3 -c '
import base64, pathlib, sys
inputs = sorted(file.read_bytes() for file in pathlib.Path(sys.argv[1]).iterdir())
pathlib.Path(sys.argv[2]).write_text("".join(base64.b64encode(data).decode() + "\n" for data in inputs))
' "$1" "$2"
}

for target in "${targets[@]}"; do
  corpus=target/fuzz/corpus/$target
  kept=fuzz/corpus/$target.txt
  mkdir -p "$corpus" fuzz/corpus
  unpack "$kept" "$corpus"
  if $keep; then
    rm -rf "target/fuzz/least"
    mkdir -p target/fuzz/least
    # How often a place is reached does not matter to what is fed again.
    "$binaries/$target" -merge=1 -use_counters=0 -max_len=512 target/fuzz/least "$corpus" >"target/fuzz/$target.log" 2>&1
    pack target/fuzz/least "$kept"
    say "fuzzing: $target: $(wc -l <"$kept") inputs kept"
    continue
  fi
  say "fuzzing: $target"
  cat fuzz/dictionaries/common.dict "fuzz/dictionaries/$target.dict" >"target/fuzz/$target.dict"
  LONGSHORE_SEEDS=$corpus "$binaries/$target" "-max_total_time=$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    "-dict=target/fuzz/$target.dict" "-artifact_prefix=target/fuzz/artifacts/$target-" "$corpus" >"target/fuzz/$target.log" 2>&1 || {
    tail -n 40 "target/fuzz/$target.log"
    fail "$target failed" "the input is in target/fuzz/artifacts"
  }
  grep -E '^stat::(number_of_executed_units|peak_rss_mb)' "target/fuzz/$target.log" | tr '\n' ' '
  grep -oE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+' "target/fuzz/$target.log" | tail -n 1
done
