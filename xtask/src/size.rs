//! The library cannot panic: `examples/size` calls it with a panic handler that does not link.
//!
//! At each optimisation level, since some panics are left over at one and not at another.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::install::Install;
use crate::run::{root, run as run_command, shown};
use crate::toolchain::Toolchain;

const TARGET: &str = "thumbv6m-none-eabi";

/// The function that `examples/size` calls when it panics, and that does not exist.
const MISSING: &str = "the_library_can_panic";

pub fn run(install: Install) -> Result {
    let toolchain = Toolchain::with(TARGET, install)?;
    a_panic_is_caught(&mut build(toolchain, "s", &["--features", "control"]))?;

    let mut sizes = Vec::new();
    for level in ["3", "s", "z"] {
        run_command(&mut build(toolchain, level, &[])).map_err(|failure| {
            format!("{failure}\nIf `{MISSING}` is what the linker misses, the library can panic.")
        })?;
        sizes.push((level, flash(&program())?));
    }

    println!("\nno panic is left over; flash used by all of it on {TARGET}:");
    for (level, flash) in sizes {
        println!("  opt-level {level}: {flash:>6} bytes");
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

fn build(toolchain: Toolchain, level: &str, features: &[&str]) -> Command {
    let mut cargo = toolchain.cargo();
    cargo.current_dir(folder()).env("CARGO_PROFILE_RELEASE_OPT_LEVEL", level);
    cargo.args(["build", "--release", "--target", TARGET, "--target-dir", "target"]).args(features);
    cargo
}

fn folder() -> PathBuf {
    root().join("examples/size")
}

fn program() -> PathBuf {
    folder().join("target").join(TARGET).join("release/ensue-size")
}

/// The bytes that a 32-bit little-endian ELF file puts into memory: the sum of its segments.
pub fn flash(path: &Path) -> Result<u32> {
    let file =
        fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    segments(&file).ok_or_else(|| format!("{} is no ELF file of 32 bits", path.display()))
}

fn segments(file: &[u8]) -> Option<u32> {
    const LOAD: u32 = 1;
    let half = |at: usize| Some(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?));
    if file.get(..6)? != b"\x7fELF\x01\x01" {
        return None;
    }
    let (table, size, count) = (word(28)? as usize, half(42)? as usize, half(44)? as usize);
    (0..count)
        .map(|index| table + index * size)
        .try_fold(0, |sum, at| Some(if word(at)? == LOAD { sum + word(at + 16)? } else { sum }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_elf_file_has_segments() {
        assert_eq!(segments(b"text"), None);
        assert_eq!(segments(b"\x7fELF\x01\x01"), None);
    }

    #[test]
    fn what_is_loaded_is_added_up() {
        let mut file = vec![0; 52 + 2 * 32];
        file[..6].copy_from_slice(b"\x7fELF\x01\x01");
        file[28] = 52;
        file[42] = 32;
        file[44] = 2;
        for (at, kind, size) in [(52, 1, 200), (84, 7, 100)] {
            file[at] = kind;
            file[at + 16] = size;
        }
        assert_eq!(segments(&file), Some(200));
    }
}
