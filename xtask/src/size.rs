//! The library cannot panic: `examples/size` calls it with a panic handler that does not link.
//!
//! At each optimisation level, since some panics are left over at one and not at another.

use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::elf::Memory;
use crate::install::Install;
use crate::run::{root, run as run_command, shown};
use crate::toolchain::Toolchain;

/// The crate with the proof.
pub const FOLDER: &str = "examples/size";

/// The smallest cores we build for, and the most common ones.
const TARGETS: [&str; 2] = ["thumbv6m-none-eabi", "thumbv7m-none-eabi"];

/// The function that `examples/size` calls when it panics, and that does not exist.
const MISSING: &str = "the_library_can_panic";

pub fn run(install: Install) -> Result {
    let mut sizes = Vec::new();
    for target in TARGETS {
        let toolchain = Toolchain::with(target, install)?;
        a_panic_is_caught(&mut build(toolchain, target, "s", &["--features", "control"]))?;
        for level in ["3", "s", "z"] {
            run_command(&mut build(toolchain, target, level, &[])).map_err(|failure| {
                format!(
                    "{failure}\nIf `{MISSING}` is what the linker misses, the library can panic."
                )
            })?;
            sizes.push((target, level, Memory::of(&program(target))?.flash));
        }
    }

    println!("\nno panic is left over; flash of the programs that prove it, every call included:");
    for (target, level, flash) in sizes {
        println!("  {target} opt-level {level}: {flash:>6} bytes");
    }
    Ok(())
}

/// The control: with something that can panic, the link must fail, and for that reason.
fn a_panic_is_caught(build: &mut Command) -> Result {
    let shown = shown(build);
    println!("$ {shown}   (which has to fail)");
    let output = build.output().map_err(|error| format!("`{shown}` did not start: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    match (output.status.success(), said.contains(MISSING)) {
        (false, true) => Ok(()),
        (false, false) => Err(format!("`{shown}` failed for another reason:\n{said}")),
        (true, _) => Err(format!("`{shown}` linked, though it can panic: this proves nothing")),
    }
}

fn build(toolchain: Toolchain, target: &str, level: &str, features: &[&str]) -> Command {
    let mut cargo = toolchain.cargo();
    cargo.current_dir(folder()).env("CARGO_PROFILE_RELEASE_OPT_LEVEL", level);
    cargo.args(["build", "--release", "--bin", "ensue-size", "--target", target]);
    cargo.args(["--target-dir", "target"]).args(features);
    cargo
}

fn folder() -> PathBuf {
    root().join(FOLDER)
}

fn program(target: &str) -> PathBuf {
    folder().join("target").join(target).join("release/ensue-size")
}
