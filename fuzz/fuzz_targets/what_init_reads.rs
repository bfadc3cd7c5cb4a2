#![no_main]

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(init: fuzz::begin("what init reads"), |bytes: &[u8]| fuzz::run("what init reads", bytes));
