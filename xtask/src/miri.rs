//! The tests of what is unsafe, under Miri: it sees a byte reached from two sides, a reference that
//! has no right to be, and a data race, whether or not anything goes wrong by them.
//!
//! It is not a part of `cargo xtask test`, because it needs a nightly compiler, and minutes.

use crate::Result;
use crate::run::{ask, run as run_command};
use crate::toolchain::cargo_of;

/// What reaches unsafe code; under Miri these tests choose smaller numbers.
const TESTS: [&[&str]; 2] = [
    &["--test", "ring_split", "--test", "ring_retained", "--test", "bus_claim"],
    &["--lib", "bus::claim"],
];

/// The two models of what a reference may do. Neither refuses all that the other does.
const MODELS: [&str; 2] = ["", " -Zmiri-tree-borrows"];

pub fn run() -> Result {
    let nightly =
        || cargo_of("nightly").ok_or("Miri needs a nightly compiler, which cannot be had");
    if ask(nightly()?.args(["miri", "--version"])).is_none() {
        return Err("Miri is missing: `rustup +nightly component add miri rust-src`".into());
    }
    for model in MODELS {
        for tests in TESTS {
            let mut cargo = nightly()?;
            // Proptest looks for its own file in the folder of the sources.
            cargo.env("MIRIFLAGS", format!("-Zmiri-disable-isolation{model}"));
            cargo.args(["miri", "test", "--package", "ensue", "--all-features"]).args(tests);
            run_command(cargo.args(["--target-dir", "target/miri"]))?;
        }
    }
    Ok(())
}
