//! `search` of `api/src/fuzz.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| calotype_api::fuzz::run("search", bytes));
