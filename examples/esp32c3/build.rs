//! Names the linker script, which esp-hal brings.

fn main() {
    println!("cargo:rustc-link-arg-bins=-Tlinkall.x");
}
