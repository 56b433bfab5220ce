//! `cargo +nightly fuzz run images`: see `src/images.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ensue_fuzz::images::run(input));
