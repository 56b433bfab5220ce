//! The log of `examples/defmt`: written in QEMU, decoded here, compared with what it should be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::board::{BOARDS, Board, Pace};
use crate::install::Install;
use crate::run::{ask, cargo, root, run as run_command, shown};
use crate::session;
use crate::toolchain::Toolchain;

/// The board that it runs on: defmt's logger for semihosting is at home on Cortex-M.
pub const TARGET: &str = "thumbv7m-none-eabi";

pub fn run(install: Install) -> Result {
    let board = BOARDS.iter().find(|board| board.target == TARGET);
    let board = board.ok_or_else(|| format!("no board here for {TARGET}"))?;
    let (emulator, package) = board.emulator();
    install.need(emulator, package)?;

    let mut build = Toolchain::with(TARGET, install)?.cargo();
    build.current_dir(folder()).args(["build", "--release", "--target", TARGET]);
    run_command(build.args(["--target-dir", "target"]))?;
    run_command(cargo().current_dir(root().join(DECODER)).args([
        "build",
        "--target-dir",
        "target",
    ]))?;

    let release = folder().join("target").join(TARGET).join("release");
    let (program, log) = (release.join("ensue-defmt"), release.join("log.bin"));
    write(board, &program, &log)?;
    let mut decode = Command::new(root().join(DECODER).join("target/debug/decode"));
    decode.args([&program, &log]);
    let read = ask(&mut decode).ok_or_else(|| format!("`{}` failed", shown(&decode)))?;

    let expected = folder().join("expected.txt");
    let text = fs::read_to_string(&expected)
        .map_err(|error| format!("{} cannot be read: {error}", expected.display()))?;
    compare(&text, &read).map_err(|complaint| format!("{}:{complaint}", expected.display()))?;
    println!("\nthe log is as expected: {} lines", read.lines().count());
    Ok(())
}

/// What reads a log: a program of its own, since it is built from a hundred crates.
pub const DECODER: &str = "xtask/decode";

pub fn folder() -> PathBuf {
    root().join("examples/defmt")
}

/// Runs the program, and what it logs goes to the file. A shell makes that connection, since a
/// session listens to texts, and this is none.
fn write(board: &Board, program: &Path, log: &Path) -> Result {
    let emulator = board.command(Pace::Virtual);
    let mut command = Command::new("sh");
    command.args(["-c", "log=$1; shift; exec \"$@\" >\"$log\"", "sh"]).arg(log);
    command.arg(emulator.get_program()).args(emulator.get_args()).arg("-kernel").arg(program);
    let outcome = session::hold(&mut command, &[], 0);
    outcome.result.map_err(|complaint| {
        // A panic is told on the serial port, among what is logged.
        let said = fs::read(log).unwrap_or_default();
        format!("{complaint}\n{}{}", outcome.transcript, String::from_utf8_lossy(&said))
    })
}

/// Names the first line that differs.
fn compare(expected: &str, got: &str) -> Result {
    let (mut expected, mut got) = (expected.trim_end().lines(), got.trim_end().lines());
    for number in 1.. {
        match (expected.next(), got.next()) {
            (None, None) => break,
            (expected, got) if expected == got => {}
            (expected, got) => {
                let [expected, got] = [expected, got].map(|line| line.unwrap_or("no more"));
                return Err(format!(
                    "{number}: the log differs\nexpected: {expected}\n     got: {got}"
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(compare("a\nb\n", "a\nb"), Ok(()));
        for (got, complaint) in [("a\nc", "2:"), ("a", "got: no more"), ("a\nb\nc", "3:")] {
            let said = compare("a\nb\n", got).expect_err("they differ");
            assert!(said.contains(complaint), "{said}");
        }
    }
}
