//! Random mutations of what the program reads from files, registries and services. The seed is printed with a failure.
#![allow(clippy::disallowed_methods, reason = "it keeps the time and is told how long by the environment")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is how a test fails")]

#[path = "support/fuzz.rs"]
mod fuzz;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fuzz::{TARGETS, Target};

/// How long each target is fed, in milliseconds, unless LONGSHORE_FUZZ_MS says otherwise.
const BUDGET: u64 = 1500;

/// No input may take longer than this, on a machine that does other things as well.
const SLOWEST: Duration = Duration::from_secs(10);

/// What stands in files more often than chance would have it.
const PIECES: [&str; 24] = [
    "{{",
    "}}",
    "${",
    "}",
    "&a ",
    "*a",
    "<<: ",
    ": ",
    "- ",
    "\n",
    "\r\n",
    "\t",
    "\u{feff}",
    "\u{0}",
    "\"",
    "'",
    "\\",
    "#",
    "[",
    "]",
    "99999999999999999999",
    "-1",
    "\u{1b}[31m",
    "é한",
];

fn mutated(random: &mut fastrand::Rng, seeds: &[&str]) -> Vec<u8> {
    let mut bytes = random.choice(seeds).unwrap().as_bytes().to_vec();
    for _ in 0..random.usize(1..8) {
        let at = random.usize(0..=bytes.len());
        let until = random.usize(at..=bytes.len().min(at + 40));
        match random.u8(0..7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..until)),
            2 => bytes.insert(at, random.u8(..)),
            3 => {
                let piece: Vec<u8> = bytes[at..until].repeat(random.usize(1..60));
                bytes.splice(at..at, piece);
            }
            4 => {
                let other = random.choice(seeds).unwrap().as_bytes();
                let from = random.usize(0..=other.len());
                bytes.splice(at..until, other[from..].iter().copied());
            }
            5 if at < bytes.len() => bytes[at] ^= 1 << random.u8(0..8),
            _ => {
                let piece = random.choice(PIECES).unwrap().repeat(random.usize(1..20));
                bytes.splice(at..until, piece.into_bytes());
            }
        }
    }
    bytes
}

/// What fuzzing kept for a target, which has a program in `fuzz/fuzz_targets`.
fn kept(target: &Target) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let name = target.program();
    assert!(root.join("fuzz_targets").join(format!("{name}.rs")).exists(), "{name} has no program");
    let file = root.join("corpus").join(format!("{name}.txt"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.lines().map(|line| STANDARD.decode(line).unwrap()).collect()
}

#[test]
fn what_coverage_guided_fuzzing_found_is_fed_again() {
    for target in &TARGETS {
        let inputs = kept(target);
        assert!(!inputs.is_empty(), "{}: scripts/fuzz.sh --keep makes a corpus", target.name);
        inputs.iter().for_each(|input| (target.run)(input));
    }
}

/// How many inputs it was fed.
fn feed(target: &Target, budget: Duration) -> u64 {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let began = Instant::now();
    let mut count = 0;
    for seed in target.seeds {
        (target.run)(seed.as_bytes());
    }
    while began.elapsed() < budget {
        let input = mutated(&mut random, target.seeds);
        let once = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
        let told = || format!("{}, seed {seed}, input {count}: {:?}", target.name, String::from_utf8_lossy(&input));
        assert!(result.is_ok(), "a panic in {}", told());
        assert!(once.elapsed() < SLOWEST, "{:?} for {}", once.elapsed(), told());
        count += 1;
    }
    count
}

#[test]
fn nothing_that_can_be_read_ends_the_program() {
    let budget = std::env::var("LONGSHORE_FUZZ_MS").ok().and_then(|text| text.parse().ok()).unwrap_or(BUDGET);
    let budget = Duration::from_millis(budget);
    // Deep recursion shows on a small stack first.
    let fed = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || {
        TARGETS.iter().map(|target| format!("{} {}", feed(target, budget), target.name)).collect::<Vec<_>>()
    });
    let fed = fed.unwrap().join().unwrap_or_else(|_| panic!("see above"));
    #[expect(clippy::print_stderr, reason = "the numbers are figures that people ask for")]
    {
        eprintln!("{}", fed.join("\n"));
    }
}
