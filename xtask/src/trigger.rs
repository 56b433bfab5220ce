//! What a trigger costs an interrupt: `examples/size/src/bin/trigger.rs`, traced in QEMU.
//!
//! The emulator takes one instruction at a time and writes down each, so that what is counted is
//! what has run, and the same in every run. They are instructions, not cycles.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::board::{BOARDS, Board, Pace};
use crate::install::Install;
use crate::run::root;
use crate::session;
use crate::size;
use crate::toolchain::Toolchain;

/// The smallest core.
const TARGET: &str = "thumbv6m-none-eabi";

/// What the program's handlers do, in the order in which they run; how many instructions that may
/// take, without entering and leaving a handler, and how many of them with interrupts masked.
const ROWS: [(&str, &str, usize, usize); 6] = [
    ("PendSV", "with params, a word", 45, 30),
    ("PendSV", "with params, when a pass has been", 45, 30),
    ("PendSV", "with params, round the queue's end", 45, 30),
    ("PendSV", "with params, refused", 45, 30),
    ("NonMaskableInt", "without params, from above the mask", 8, 0),
    // Sixteen words: made, handed over and copied, and for the last of these interrupts are masked.
    (LARGE, "with params of 64 bytes", 45 + 16 * 6, 30 + 16 * 2),
];

/// The handler that comes after all that has to do with a word.
const LARGE: &str = "SysTick";

pub fn run(install: Install) -> Result {
    let board = BOARDS.iter().find(|board| board.target == TARGET);
    let board = board.ok_or_else(|| format!("no board here for {TARGET}"))?;
    let (emulator, package) = board.emulator();
    install.need(emulator, package)?;

    let mut cargo = Toolchain::with(TARGET, install)?.cargo();
    cargo.current_dir(folder()).env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s");
    cargo.args(["build", "--release", "--bin", "trigger", "--target", TARGET]);
    crate::run::run(cargo.args(["--target-dir", "target"]))?;

    let release = folder().join("target").join(TARGET).join("release");
    let trace = trace(board, &release.join("trigger"), &release.join("trigger.log"))?;
    let handlers = handlers(&trace);
    let Some((empty, rest)) = handlers.split_first() else {
        return Err("the program has not come to its handlers".into());
    };
    let is_trigger = |ran: &&Ran<'_>| ROWS.iter().any(|(name, ..)| *name == ran.name);
    let triggers: Vec<_> = rest.iter().filter(is_trigger).collect();
    println!("\n{}, opt-level s, instructions:\n  all  masked  a trigger", board.core);
    let mut complaints = Vec::new();
    for (row, (name, what, most, most_masked)) in ROWS.into_iter().enumerate() {
        let Some(ran) = triggers.get(row).filter(|ran| ran.name == name) else {
            return Err(format!("run {row} of a handler is not {name}"));
        };
        let (all, masked) = (ran.all.saturating_sub(empty.all), ran.masked);
        println!("{all:>5}  {masked:>6}  {what}");
        if all > most || masked > most_masked {
            complaints
                .push(format!("a trigger {what} may take {most}, {most_masked} of them masked"));
        }
    }
    // What a pass takes from the queue it takes with interrupts masked as well.
    let first_large = handlers.iter().position(|ran| ran.name == LARGE).unwrap_or_default();
    let (word, large) = handlers.split_at(first_large);
    for (ran, what, most) in [(word, "a word", 30), (large, "64 bytes", 30 + 16 * 2)] {
        let masked = ran.iter().map(|ran| ran.masked).max().unwrap_or_default();
        println!("    -  {masked:>6}  the longest masked stretch with {what}, passes included");
        if masked > most {
            complaints.push(format!("with {what}, {most} instructions may be masked"));
        }
    }
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("; ")) }
}

/// The lines that QEMU writes about each instruction: what it is the first time, then that it ran.
fn trace(board: &Board, program: &Path, log: &Path) -> Result<String> {
    let mut qemu = board.command(Pace::Virtual);
    qemu.args(["-singlestep", "-d", "in_asm,exec,nochain", "-D"]).arg(log);
    let outcome = session::hold(qemu.arg("-kernel").arg(program), &[], 0);
    outcome.result.map_err(|complaint| format!("{complaint}\n{}", outcome.transcript))?;
    fs::read_to_string(log).map_err(|error| format!("{} cannot be read: {error}", log.display()))
}

/// One run of a handler.
#[derive(Debug, PartialEq)]
struct Ran<'a> {
    name: &'a str,
    all: usize,
    /// The longest stretch with interrupts masked: from behind the masking up to the unmasking, that
    /// included.
    masked: usize,
}

/// What has run between two instructions of main: its handlers, and what it calls after them.
fn handlers(trace: &str) -> Vec<Ran<'_>> {
    let mut instructions = HashMap::new();
    let mut handlers: Vec<Ran<'_>> = Vec::new();
    let (mut begun, mut away, mut masked) = (false, false, None);
    for line in trace.lines() {
        if let Some((address, instruction)) =
            line.strip_prefix("0x").and_then(|line| line.split_once(": "))
        {
            instructions.insert(address, instruction);
        }
        let Some((address, name)) = executed(line) else { continue };
        if name.contains("__cortex_m_rt_main") {
            (begun, away) = (true, false);
        } else if begun {
            if !away {
                handlers.push(Ran { name, all: 0, masked: 0 });
                (away, masked) = (true, None);
            }
            let Some(ran) = handlers.last_mut() else { continue };
            ran.all += 1;
            if let Some(stretch) = &mut masked {
                *stretch += 1;
                ran.masked = ran.masked.max(*stretch);
            }
            let instruction = instructions.get(address).copied().unwrap_or_default();
            if instruction.contains("cpsid") {
                masked = Some(0);
            } else if instruction.contains("primask, ") || instruction.contains("cpsie") {
                masked = None;
            }
        }
    }
    handlers
}

/// `Trace 0: 0x7fba88000240 [00800400/0000192c/00000510/ff000201] SysTick`: address and function.
fn executed(line: &str) -> Option<(&str, &str)> {
    let (_, place) = line.strip_prefix("Trace ")?.split_once('[')?;
    let (numbers, name) = place.split_once("] ")?;
    Some((numbers.split('/').nth(1)?, name))
}

fn folder() -> PathBuf {
    root().join(size::FOLDER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_between_two_instructions_of_main_is_counted() {
        let trace = "\
            IN: Reset\n\
            0x000000c0:  f001 fc34  bl       #0x192c\n\
            Trace 0: 0x7f [00800400/000000c0/00000510/ff000201] Reset\n\
            Trace 0: 0x7f [00800400/000000c2/00000510/ff000201] x__cortex_m_rt_main\n\
            0x00000128:  b672       cpsid    i\n\
            Trace 0: 0x7f [00800401/00000128/00000510/ff000201] PendSV\n\
            Trace 0: 0x7f [00800401/0000012a/00000510/ff000201] PendSV\n\
            0x00000152:  f381 8810  msr      primask, r1\n\
            Trace 0: 0x7f [00800401/00000152/00000510/ff000201] PendSV\n\
            Trace 0: 0x7f [00800401/00000154/00000510/ff000201] PendSV\n\
            Trace 0: 0x7f [00800400/000000c4/00000510/ff000201] x__cortex_m_rt_main\n\
            Trace 0: 0x7f [00800401/00000128/00000510/ff000201] PendSV\n";
        let ran = |all, masked| Ran { name: "PendSV", all, masked };
        assert_eq!(handlers(trace), [ran(4, 2), ran(1, 0)]);
    }
}
