#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| stoa_api::fuzzing::cursor(bytes));
