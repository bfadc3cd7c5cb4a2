#![no_main]

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(init: fuzz::begin(".dockerignore"), |bytes: &[u8]| fuzz::run(".dockerignore", bytes));
