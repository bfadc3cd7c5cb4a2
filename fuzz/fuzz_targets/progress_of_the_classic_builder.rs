#![no_main]

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(init: fuzz::begin("progress of the classic builder"), |bytes: &[u8]| fuzz::run("progress of the classic builder", bytes));
