//! Shows the linker the memory layout and the scripts that use it.

use std::env;

fn main() {
    let folder = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rustc-link-search={folder}");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    // Without it the file's headers would be loaded before the boot loader, where nothing is.
    println!("cargo:rustc-link-arg-bins=--nmagic");
}
