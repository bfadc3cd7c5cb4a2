#![no_main]

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(init: fuzz::begin("challenges and tokens"), |bytes: &[u8]| fuzz::run("challenges and tokens", bytes));
