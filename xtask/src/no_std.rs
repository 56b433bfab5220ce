//! The library builds for chips, with no features and with all that a chip can have, and whatever the
//! binary chooses.

use crate::Result;
use crate::features::Manifest;
use crate::install::Install;
use crate::run::{root, run as run_command};
use crate::toolchain::Toolchain;

const TARGETS: [&str; 4] = [
    "thumbv6m-none-eabi",
    "thumbv7em-none-eabihf",
    "thumbv8m.main-none-eabihf",
    "riscv32imc-unknown-none-elf",
];

pub fn run(install: Install) -> Result {
    let features = Manifest::read()?.features_for_chips();
    for target in TARGETS {
        let toolchain = Toolchain::with(target, install)?;
        let build = |features: &[&str]| {
            let mut cargo = toolchain.cargo();
            cargo.args(["build", "--package", "ensue", "--lib", "--release", "--target", target]);
            run_command(cargo.arg("--no-default-features").args(features))
        };
        build(&[])?;
        if !features.is_empty() {
            build(&["--features", &features])?;
        }
    }
    the_choice_is_the_binarys(install)
}

/// `tests/choices` says what this shows: how atomics and critical sections are made.
fn the_choice_is_the_binarys(install: Install) -> Result {
    const TARGET: &str = "riscv32imc-unknown-none-elf";
    let toolchain = Toolchain::with(TARGET, install)?;
    for choice in ["", "esp-hal", "critical-section"] {
        let mut cargo = toolchain.cargo();
        cargo.current_dir(root().join("tests/choices"));
        cargo.args(["build", "--target", TARGET, "--target-dir", "../../target/choices"]);
        run_command(cargo.args(["--features", choice]))?;
    }
    Ok(())
}
