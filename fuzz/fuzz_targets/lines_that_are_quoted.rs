#![no_main]

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(init: fuzz::begin("lines that are quoted"), |bytes: &[u8]| fuzz::run("lines that are quoted", bytes));
