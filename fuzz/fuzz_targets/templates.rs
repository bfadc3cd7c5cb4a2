#![no_main]

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(init: fuzz::begin("templates"), |bytes: &[u8]| fuzz::run("templates", bytes));
