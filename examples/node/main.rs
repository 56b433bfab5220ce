//! The main job of the crate on a computer: sensors, a button, an alarm, a log and a console.
//!
//! ```console
//! $ cargo run --example node                   in real time; type commands
//! $ echo status | cargo run --example node     the same, with commands from a pipe
//! $ cargo run --example node -- --virtual      an hour at once, with commands at set times
//! ```
//!
//! What it does is in `app`, which the firmware in `examples/qemu` shares. `host` is what a
//! computer brings to it; its sensors are `simulated`.

mod app;
mod demo;
mod host;
mod simulated;

use std::io::IsTerminal;
use std::process::ExitCode;

use ensue::ScheduleError;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => real_time(),
        ["--virtual"] => demo::play(&demo::HOUR, &mut host::Stdout),
        _ => {
            eprintln!("usage: node [--virtual]");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("node: {error}");
            ExitCode::FAILURE
        }
    }
}

fn real_time() -> Result<ensue::Ended, ScheduleError> {
    // A terminal shows what is typed into it; a pipe does not.
    let echo = !std::io::stdin().is_terminal();
    host::run(std::io::stdin(), echo, &mut host::Stdout)
}
