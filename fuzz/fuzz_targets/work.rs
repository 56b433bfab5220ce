//! `cargo +nightly fuzz run work`: see `src/work.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ensue_fuzz::work::run(input));
