#![no_main]

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(init: fuzz::begin("records of content keys"), |bytes: &[u8]| fuzz::run("records of content keys", bytes));
