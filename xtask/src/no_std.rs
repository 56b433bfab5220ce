//! The library builds for chips, with no features and with all that a chip can have.

use crate::Result;
use crate::features::Manifest;
use crate::install::Install;
use crate::run::run as run_command;
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
    Ok(())
}
