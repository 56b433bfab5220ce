//! The programs of `examples/rp2040`: built, measured, and run in an emulated Pico.
//!
//! The emulator is `examples/rp2040/emulator`, in JavaScript because rp2040js is; what the programs
//! have to do is in its `tests.mjs`, which needs to look at pins. Here is what surrounds it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::dialogue::Step;
use crate::elf::Memory;
use crate::install::Install;
use crate::run::{root, run as run_command, shown};
use crate::session;
use crate::toolchain::Toolchain;

/// What a Pico's core runs.
pub const TARGET: &str = "thumbv6m-none-eabi";

/// The crate with the programs.
pub const FOLDER: &str = "examples/rp2040";

/// Builds all programs, and runs the tests whose names contain `filter`, such as `rp2040::blink`.
pub fn run(install: Install, filter: Option<&str>) -> Result {
    build(install)?;
    emulator(install)?;

    let mut tests = Command::new("node");
    tests.current_dir(folder().join("emulator")).arg("tests.mjs").args(filter);
    println!("$ {}", shown(&tests));
    // It says what it likes, but it ends, and with success.
    let outcome = session::hold(&mut tests, &[Step::PassOver], 0);
    for line in outcome.transcript.lines() {
        println!("{}", line.strip_prefix("< ").unwrap_or(line));
    }
    outcome.result.map_err(|complaint| format!("the tests on an emulated Pico failed: {complaint}"))
}

fn build(install: Install) -> Result {
    let mut cargo = Toolchain::with(TARGET, install)?.cargo();
    cargo.current_dir(folder()).args(["build", "--release", "--bins", "--target", TARGET]);
    run_command(cargo.args(["--target-dir", "target"]))?;

    println!("\nin bytes, the HAL and the boot loader included:\nprogram      flash  static");
    let release = folder().join("target").join(TARGET).join("release");
    for program in programs()? {
        let Memory { flash, variables } = Memory::of(&release.join(&program))?;
        println!("{program:<11}  {flash:>5}  {variables:>6}");
    }
    println!();
    Ok(())
}

/// The programs' names, in the order of the alphabet.
fn programs() -> Result<Vec<String>> {
    let sources = folder().join("src/bin");
    let files = fs::read_dir(&sources)
        .map_err(|error| format!("{} cannot be read: {error}", sources.display()))?;
    let stem = |path: PathBuf| Some(path.file_stem()?.to_string_lossy().into_owned());
    let mut names: Vec<_> = files.flatten().filter_map(|file| stem(file.path())).collect();
    names.sort();
    Ok(names)
}

/// Makes sure that the emulator is there, in the version of its lock file.
fn emulator(install: Install) -> Result {
    install.need("node", "nodejs")?;
    let folder = folder().join("emulator");
    if is_newer(&folder.join("node_modules/.package-lock.json"), &folder.join("package-lock.json"))
    {
        return Ok(());
    }
    install.need("npm", "npm")?;
    let mut npm = Command::new("npm");
    npm.current_dir(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    run_command(&mut npm)
}

/// Whether the first file is there, and not older than the second.
fn is_newer(first: &Path, second: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    changed(first).is_some_and(|first| changed(second).is_some_and(|second| first >= second))
}

fn folder() -> PathBuf {
    root().join(FOLDER)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program without a test would be built and never run.
    #[test]
    fn every_program_has_a_test() {
        let tests = fs::read_to_string(folder().join("emulator/tests.mjs")).expect("it is there");
        for program in programs().expect("there are some") {
            let test = format!("\n  {program}(board) {{");
            assert!(tests.contains(&test), "{program} has no test in tests.mjs");
        }
    }

    #[test]
    fn what_is_missing_is_not_newer() {
        let here = root().join("Cargo.toml");
        assert!(is_newer(&here, &here));
        assert!(!is_newer(Path::new("/there/is/no/such/file"), &here));
    }
}
