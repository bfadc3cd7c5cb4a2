#![no_main]

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(init: fuzz::begin("lifecycle JSON"), |bytes: &[u8]| fuzz::run("lifecycle JSON", bytes));
