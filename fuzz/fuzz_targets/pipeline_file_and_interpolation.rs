#![no_main]

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(init: fuzz::begin("pipeline file and interpolation"), |bytes: &[u8]| fuzz::run("pipeline file and interpolation", bytes));
