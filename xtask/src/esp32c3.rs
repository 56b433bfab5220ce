//! `examples/esp32c3`: built and linked for the chip, and started in a small model of it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::dialogue;
use crate::elf::Memory;
use crate::install::Install;
use crate::run::{ask, root, run as run_command};
use crate::session;
use crate::toolchain::Toolchain;

/// What the chip runs.
pub const TARGET: &str = "riscv32imc-unknown-none-elf";

/// The crate with the programs.
pub const FOLDER: &str = "examples/esp32c3";

/// A run in the model.
struct Test {
    name: &'static str,
    program: &'static str,
    /// Those of `examples/qemu` are for both.
    dialogue: &'static str,
    options: &'static [&'static str],
}

const TESTS: [Test; 3] = [
    Test {
        name: "clock",
        program: "clock",
        dialogue: "../qemu/dialogues/clock.txt",
        options: &["--jump"],
    },
    Test { name: "node", program: "node", dialogue: "../qemu/dialogues/node.txt", options: &[] },
    Test {
        name: "button",
        program: "node",
        dialogue: "dialogues/button.txt",
        options: &["--press", "1.5"],
    },
];

/// Builds, tells the size, and tries it; says what was not tried and why.
pub fn run(install: Install) -> Result<Option<String>> {
    let mut cargo = Toolchain::with(TARGET, install)?.cargo();
    cargo.current_dir(folder()).args(["build", "--release", "--target", TARGET]);
    run_command(cargo.args(["--target-dir", "target"]))?;

    println!("\nin bytes, esp-hal included:\nprogram    flash  static");
    for name in ["clock", "node"] {
        let Memory { flash, variables } = Memory::of(&program(name))?;
        println!("{name:<9}  {flash:>5}  {variables:>6}");
    }

    match python(install) {
        Ok(python) => try_all(&python).map(|()| None),
        Err(complaint) => Ok(Some(format!("nothing was tried in the model: {complaint}"))),
    }
}

fn folder() -> PathBuf {
    root().join(FOLDER)
}

fn program(name: &str) -> PathBuf {
    folder().join("target").join(TARGET).join("release").join(name)
}

fn try_all(python: &PathBuf) -> Result {
    println!(
        "\ntrying {} things in the model, which is no evidence of how silicon behaves",
        TESTS.len()
    );
    for test in &TESTS {
        let path = folder().join(test.dialogue);
        let mut text = fs::read_to_string(&path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        if test.dialogue.starts_with("../") {
            // Last words differ.
            if let Some((before, _)) = text.split_once("> quit\n") {
                text = format!("{before}> quit\n< ...\n");
            }
            text.push_str("< exit code 0\n");
        }
        let dialogue = dialogue::parse(test.dialogue, &text)?;
        let mut model = Command::new(python);
        model.arg(folder().join("model/c3.py")).args(test.options).arg(program(test.program));
        let outcome = session::hold(&mut model, &dialogue, 0);
        if let Err(complaint) = outcome.result {
            println!("{}", outcome.transcript);
            return Err(format!("ESP32-C3::{} in the model: {complaint}", test.name));
        }
        println!("test ESP32-C3::{} ... ok", test.name);
    }
    Ok(())
}

/// A Python that has what the model needs, in a place of its own.
fn python(install: Install) -> Result<PathBuf> {
    let place = folder().join("target/model");
    let python = place.join("bin/python");
    let needs =
        |python: &PathBuf| ask(Command::new(python).args(["-c", "import unicorn, elftools"]));
    if needs(&python).is_some() {
        return Ok(python);
    }
    let make = || run_command(Command::new("python3").args(["-m", "venv"]).arg(&place));
    if make().is_err() {
        install.packages("Python with venv", &["python3-venv"])?;
        make()?;
    }
    let requirements = folder().join("model/requirements.txt");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    run_command(pip.arg(requirements))?;
    Ok(python)
}
