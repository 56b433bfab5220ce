//! Names the linker scripts: cortex-m-rt's and defmt's. The board's layout is `examples/qemu`'s.

fn main() {
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
}
