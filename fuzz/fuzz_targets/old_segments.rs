//! `old_segments` of `media/src/fuzz.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| calotype_media::fuzz::run("old_segments", bytes));
