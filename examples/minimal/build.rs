//! Tells the linker where its scripts are, and cargo to link again when one is changed.
//!
//! They could be flags in `.cargo/config.toml`, where `RUSTFLAGS` in the environment would replace
//! them without a word: what is linked without `link.x` is empty.

fn main() {
    println!("cargo:rustc-link-search={}", env!("CARGO_MANIFEST_DIR"));
    println!("cargo:rerun-if-changed=memory.x");
    // cortex-m-rt's; it includes ours.
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    // Where flash begins at no multiple of 64 kB (behind a boot loader), the linker would pad it.
    println!("cargo:rustc-link-arg-bins=--nmagic");
}
