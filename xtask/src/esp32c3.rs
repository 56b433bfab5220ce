//! `examples/esp32c3`: built and linked for the chip, and started in a small model of it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::dialogue;
use crate::install::Install;
use crate::run::{ask, root, run as run_command};
use crate::session;
use crate::toolchain::Toolchain;

pub const TARGET: &str = "riscv32imc-unknown-none-elf";

/// What a program takes of flash. Its other sections keep places free, for no cost.
const COUNTED: [&str; 5] = [".trap", ".rwtext", ".text", ".rodata", ".data"];

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

    println!("\nflash used on the ESP32-C3, esp-hal and the main job included:");
    for name in ["clock", "node"] {
        let path = program(name);
        let file = fs::read(&path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let flash =
            flash(&file).ok_or_else(|| format!("{} is no ELF file of 32 bits", path.display()))?;
        println!("  {name}: {flash:>6} bytes");
    }

    match python(install) {
        Ok(python) => try_all(&python).map(|()| None),
        Err(complaint) => Ok(Some(format!("nothing was tried in the model: {complaint}"))),
    }
}

pub fn folder() -> PathBuf {
    root().join("examples/esp32c3")
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
            // In QEMU a program's end is not told, but done.
            text.push_str("< exit code 0\n");
        }
        let dialogue = dialogue::parse(test.dialogue, &text)?;
        let mut model = Command::new(python);
        model.arg(folder().join("model/c3.py")).args(test.options).arg(program(test.program));
        let outcome = session::hold(&mut model, &dialogue, 0);
        if let Err(complaint) = outcome.result {
            println!("{}", outcome.transcript);
            return Err(format!("ESP32-C3::{}: {complaint}", test.name));
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

/// The bytes of the sections that count, in a 32-bit little-endian ELF file.
fn flash(file: &[u8]) -> Option<u32> {
    let half = |at: usize| Some(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?));
    if file.get(..6)? != b"\x7fELF\x01\x01" {
        return None;
    }
    let (table, size) = (word(32)? as usize, half(46)? as usize);
    let (count, names) = (half(48)? as usize, half(50)? as usize);
    let names = word(table + names * size + 16)? as usize;
    let mut sum = 0;
    for section in (0..count).map(|index| table + index * size) {
        let name = file.get(names + word(section)? as usize..)?;
        let length = name.iter().position(|byte| *byte == 0)?;
        if COUNTED.iter().any(|counted| counted.as_bytes() == &name[..length]) {
            sum += word(section + 20)?;
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_that_count_are_added_up() {
        let names = b"\0.text\0.bss\0.data\0";
        let mut file = vec![0; 52];
        file[..6].copy_from_slice(b"\x7fELF\x01\x01");
        file.extend_from_slice(names);
        let table = file.len();
        for (name, start, size) in [(0, 52, 0), (1, 0, 300), (7, 0, 5000), (12, 0, 20)] {
            let mut section = [0; 40];
            for (at, value) in [(0, name), (16, start), (20, size)] {
                section[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
            }
            file.extend_from_slice(&section);
        }
        file[32] = table as u8;
        (file[46], file[48], file[50]) = (40, 4, 0);
        assert_eq!(flash(&file), Some(320));
        assert_eq!(flash(b"text"), None);
    }
}
