#![no_main]

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(init: fuzz::begin("faults of the small ECR"), |bytes: &[u8]| fuzz::run("faults of the small ECR", bytes));
