//! `cargo +nightly fuzz run power`: see `src/power.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ensue_fuzz::power::run(input));
