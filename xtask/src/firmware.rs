//! The firmware tests: built for each board, run in QEMU, typed to and listened to.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use crate::Result;
use crate::board::{BOARDS, Board, Pace};
use crate::dialogue::{self, Step};
use crate::elf::Memory;
use crate::install::Install;
use crate::run::{root, run as run_command};
use crate::session;
use crate::toolchain::Toolchain;

/// A program of `examples/qemu`, run on every board.
struct Test {
    /// `src/bin/<program>.rs`; what it has to say is in `dialogues/<program>.txt`.
    program: &'static str,
    /// The exit code it has to end with.
    exit: i32,
    /// Whether it resets its chip. Where time is skipped, QEMU's RISC-V machine (7.2) can hang at
    /// that, so hard that only SIGKILL ends it.
    resets: bool,
}

impl Test {
    const fn new(program: &'static str) -> Self {
        Self { program, exit: 0, resets: false }
    }
}

const TESTS: [Test; 7] = [
    Test::new("checks"),
    Test::new("clock"),
    Test::new("interrupts"),
    Test::new("node"),
    Test { exit: 101, ..Test::new("panics") },
    Test { resets: true, ..Test::new("ring_retained") },
    Test::new("ring_split"),
];

/// Which tests to run, and how much to tell.
#[derive(Debug, Default, PartialEq)]
pub struct Selection {
    /// Part of a name such as `microbit::node`.
    pub filter: Option<String>,
    /// Print what was said also of sessions that went well.
    pub transcript: bool,
}

impl Selection {
    fn of(&self, board: &Board) -> Vec<&'static Test> {
        let filter = self.filter.as_deref().unwrap_or_default();
        TESTS.iter().filter(|test| name(board, test).contains(filter)).collect()
    }
}

/// Builds and runs what is selected.
pub fn run(install: Install, selection: &Selection) -> Result {
    let plan: Vec<_> = BOARDS.iter().map(|board| (board, selection.of(board))).collect();
    let count: usize = plan.iter().map(|(_, tests)| tests.len()).sum();
    if count == 0 {
        let filter = selection.filter.as_deref().unwrap_or_default();
        return Err(format!("no firmware test has `{filter}` in its name"));
    }
    for (board, tests) in &plan {
        if !tests.is_empty() {
            let (emulator, package) = board.emulator();
            install.need(emulator, package)?;
            build(board, tests, install)?;
        }
    }

    println!("\nrunning {count} firmware test{}", if count == 1 { "" } else { "s" });
    let begun = Instant::now();
    let (mut failures, mut rows) = (Vec::new(), Vec::new());
    for (board, tests) in &plan {
        let mut passed = Vec::new();
        let mut stack = None;
        for test in tests {
            let name = name(board, test);
            let outcome = hold(board, test)?;
            println!("test {name} ... {}", if outcome.result.is_ok() { "ok" } else { "FAILED" });
            if selection.transcript {
                print!("{}", outcome.transcript);
            }
            stack = stack.or(stack_in(&outcome.transcript));
            match outcome.result {
                Ok(()) => passed.push(test.program),
                Err(complaint) => failures.push((name, outcome.transcript, complaint)),
            }
        }
        rows.push(row(board, &passed, stack)?);
    }

    println!("\n{HEADINGS}");
    rows.iter().for_each(|row| println!("{row}"));
    for (name, transcript, complaint) in &failures {
        println!("\n---- {name}: what was said ----\n{transcript}\n{complaint}");
    }
    println!(
        "\ntest result: {}. {} passed; {} failed; 0 ignored; 0 measured; {} filtered out; \
         finished in {:.2}s\n",
        if failures.is_empty() { "ok" } else { "FAILED" },
        count - failures.len(),
        failures.len(),
        BOARDS.len() * TESTS.len() - count,
        begun.elapsed().as_secs_f32(),
    );
    if failures.is_empty() {
        Ok(())
    } else {
        let names: Vec<_> = failures.iter().map(|(name, ..)| name.as_str()).collect();
        Err(format!("firmware tests failed: {}", names.join(", ")))
    }
}

fn build(board: &Board, tests: &[&Test], install: Install) -> Result {
    println!("\n{}: {}, {}", board.name, board.core, board.target);
    let mut cargo = Toolchain::with(board.target, install)?.cargo();
    cargo.current_dir(folder()).args(["build", "--release", "--target", board.target]);
    cargo.args(["--target-dir", "target"]);
    cargo.args(tests.iter().flat_map(|test| ["--bin", test.program]));
    run_command(&mut cargo)
}

/// The last three are of `node`, in bytes: what is in flash, variables that are there for good,
/// and the stack at its deepest.
const HEADINGS: &str =
    "board        core        target                        flash  static  stack  passed";

/// What ran on a board, and what the main job takes there.
fn row(board: &Board, passed: &[&str], stack: Option<u32>) -> Result<String> {
    let Board { name, core, target, .. } = board;
    let programs = passed.join(" ");
    let figures = match stack {
        Some(stack) => {
            let Memory { flash, variables } = Memory::of(&program(board, "node"))?;
            format!("{flash:>5}  {variables:>6}  {stack:>5}")
        }
        None => format!("{:>5}  {:>6}  {:>5}", "-", "-", "-"),
    };
    Ok(format!("{name:<11}  {core:<10}  {target:<28}  {figures}  {programs}"))
}

/// What a program said of its stack.
fn stack_in(transcript: &str) -> Option<u32> {
    let said = |line: &str| {
        line.strip_prefix("< used at most ")?.split_once(" bytes of stack")?.0.parse().ok()
    };
    transcript.lines().find_map(said)
}

fn hold(board: &Board, test: &Test) -> Result<session::Outcome> {
    let path = folder().join("dialogues").join(test.program).with_extension("txt");
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let dialogue = dialogue::parse(&path.display().to_string(), &text)?;

    // Where something is typed, a sleep has to last; otherwise nobody waits for it.
    let is_typed_to = dialogue.iter().any(|step| matches!(step, Step::Type(_)));
    let pace = if is_typed_to || test.resets { Pace::Real } else { Pace::Virtual };
    let mut command = board.command(pace);
    command.arg("-kernel").arg(program(board, test.program));
    Ok(session::hold(&mut command, &dialogue, test.exit))
}

fn program(board: &Board, name: &str) -> PathBuf {
    folder().join("target").join(board.target).join("release").join(name)
}

/// The crate with the firmware.
pub fn folder() -> PathBuf {
    root().join("examples/qemu")
}

fn name(board: &Board, test: &Test) -> String {
    format!("{}::{}", board.name, test.program)
}
