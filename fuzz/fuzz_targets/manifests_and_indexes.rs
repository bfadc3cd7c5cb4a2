#![no_main]

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(init: fuzz::begin("manifests and indexes"), |bytes: &[u8]| fuzz::run("manifests and indexes", bytes));
