#![no_main]

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(init: fuzz::begin("progress of BuildKit"), |bytes: &[u8]| fuzz::run("progress of BuildKit", bytes));
