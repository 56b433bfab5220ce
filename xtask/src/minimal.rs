//! `examples/minimal`, the firmware to copy: run as whoever copies it does, by `cargo run`, and
//! compared with what it has to say.

use std::fs;
use std::path::PathBuf;

use crate::Result;
use crate::dialogue::Step;
use crate::elf::Memory;
use crate::install::Install;
use crate::run::{root, run as run_command};
use crate::session;
use crate::toolchain::Toolchain;

/// What its `.cargo/config.toml` builds for.
pub const TARGET: &str = "thumbv7m-none-eabi";

/// The crate.
pub const FOLDER: &str = "examples/minimal";

pub fn run(install: Install) -> Result {
    install.need("qemu-system-arm", "qemu-system-arm")?;
    let toolchain = Toolchain::with(TARGET, install)?;
    let cargo = |command: &str| {
        let mut cargo = toolchain.cargo();
        cargo.current_dir(folder()).args([command, "--release", "--target-dir", "target"]);
        cargo
    };
    run_command(&mut cargo("build"))?;

    let expected = folder().join("expected.txt");
    let text = fs::read_to_string(&expected)
        .map_err(|error| format!("{} cannot be read: {error}", expected.display()))?;
    let dialogue: Vec<_> = text.lines().map(|line| Step::Hear(line.into())).collect();
    // The emulator is started by the folder's own settings, which are to be copied as well.
    let outcome = session::hold(&mut cargo("run"), &dialogue, 0);
    outcome.result.map_err(|complaint| {
        format!("{} is not what it says:\n{}{complaint}", expected.display(), outcome.transcript)
    })?;

    let program = folder().join("target").join(TARGET).join("release/ensue-minimal");
    let Memory { flash, variables } = Memory::of(&program)?;
    println!(
        "\n{FOLDER} says what it should: {} lines; flash {flash} bytes, static {variables}",
        dialogue.len()
    );
    Ok(())
}

fn folder() -> PathBuf {
    root().join(FOLDER)
}
