#![no_main]

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(init: fuzz::begin("tag rules"), |bytes: &[u8]| fuzz::run("tag rules", bytes));
