//! `cargo +nightly fuzz run operations`: see `src/operations.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ensue_fuzz::operations::run(input));
