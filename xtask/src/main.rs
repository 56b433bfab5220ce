//! `cargo xtask`: builds, runs and checks everything in this repository.
//!
//! Plain cargo shows what it does as it does it; this adds only what cargo does not know: which
//! toolchain can build for a chip, how to start an emulator and talk to it, and what "everything"
//! is. A step says the command it runs, so that you can run it alone.

mod board;
mod checks;
mod defmt;
mod dialogue;
mod elf;
mod esp32c3;
mod features;
mod firmware;
mod install;
mod minimal;
mod miri;
mod no_std;
mod rp2040;
mod run;
mod session;
mod size;
mod toolchain;
mod trigger;

use std::env;
use std::process::ExitCode;

use install::Install;

const HELP: &str = "\
cargo xtask <command> [options]

Commands:
  test                 Check everything: format, lints, documentation, tests with no, each and
                       all features, examples, the minimum Rust version, and all of the below
  no-std               Build the library for chips, with no features and with all
  size                 Link the library with a panic handler that does not link; print its size
  trigger              Count what a trigger takes on a Cortex-M0, instruction by instruction
  firmware [FILTER]    Build the firmware, run it in QEMU and check what it says. FILTER selects
                       tests by a part of their name, as with `cargo test`
  minimal              Run the firmware that is there to be copied as a folder, as one runs a copy
  esp32c3              Build the firmware for the ESP32-C3, print its size and try it in a small
                       model of the chip
  defmt                Run a firmware that logs with defmt, and compare its log
  rp2040 [FILTER]      Build the programs for a Raspberry Pi Pico, print their sizes, run them in an
                       emulator and check what they do on its pins and its serial port
  miri                 Run the tests of what is unsafe under Miri, with stacked and with tree borrows.
                       It needs a nightly compiler and is not part of `test`
  help                 Print this

Options:
  --install            Install Debian packages that are missing, such as QEMU. Without it that is
                       done when CI is set or when you are root; otherwise you are told what to
                       install. What rustup brings (targets, components, the minimum Rust version)
                       is added in any case
  --transcript         With `firmware`: print each session, and not only that of a failure
";

/// What went wrong, in words for whoever typed the command.
type Result<T = ()> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let command = match Command::parse(&arguments) {
        Ok(command) => command,
        Err(complaint) => {
            eprintln!("error: {complaint}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            eprintln!("\nerror: {complaint}");
            ExitCode::FAILURE
        }
    }
}

/// A command line that makes sense.
#[derive(Debug, PartialEq)]
enum Command {
    Help,
    Test(Install),
    NoStd(Install),
    Size(Install),
    Trigger(Install),
    Firmware(Install, firmware::Selection),
    Minimal(Install),
    Defmt(Install),
    Esp32c3(Install),
    Rp2040(Install, Option<String>),
    Miri,
}

impl Command {
    fn parse(arguments: &[String]) -> Result<Self> {
        let Some((name, rest)) = arguments.split_first() else {
            return Err("say which command to run".into());
        };
        let mut install = Install::default();
        let mut selection = firmware::Selection::default();
        for argument in rest {
            match argument.as_str() {
                "--install" => install = Install::Asked,
                "--transcript" if name == "firmware" => selection.transcript = true,
                "--help" | "-h" => return Ok(Self::Help),
                filter
                    if ["firmware", "rp2040"].contains(&name.as_str())
                        && !filter.starts_with('-') =>
                {
                    if selection.filter.replace(filter.into()).is_some() {
                        return Err(format!("`{name}` takes one FILTER"));
                    }
                }
                unknown => return Err(format!("`{name}` does not know `{unknown}`")),
            }
        }
        match name.as_str() {
            "test" => Ok(Self::Test(install)),
            "no-std" => Ok(Self::NoStd(install)),
            "size" => Ok(Self::Size(install)),
            "trigger" => Ok(Self::Trigger(install)),
            "firmware" => Ok(Self::Firmware(install, selection)),
            "minimal" => Ok(Self::Minimal(install)),
            "defmt" => Ok(Self::Defmt(install)),
            "esp32c3" => Ok(Self::Esp32c3(install)),
            "rp2040" => Ok(Self::Rp2040(install, selection.filter)),
            "miri" => Ok(Self::Miri),
            "help" | "--help" | "-h" => Ok(Self::Help),
            unknown => Err(format!("there is no command `{unknown}`")),
        }
    }

    fn run(self) -> Result {
        match self {
            Self::Help => {
                print!("{HELP}");
                Ok(())
            }
            Self::Test(install) => checks::run(install),
            Self::NoStd(install) => no_std::run(install),
            Self::Size(install) => size::run(install),
            Self::Trigger(install) => trigger::run(install),
            Self::Firmware(install, selection) => firmware::run(install, &selection),
            Self::Minimal(install) => minimal::run(install),
            Self::Defmt(install) => defmt::run(install),
            Self::Esp32c3(install) => {
                if let Some(left_out) = esp32c3::run(install)? {
                    println!("\nNOT RUN: {left_out}");
                }
                Ok(())
            }
            Self::Rp2040(install, filter) => rp2040::run(install, filter.as_deref()),
            Self::Miri => miri::run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command> {
        Command::parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn options_may_stand_in_any_order() {
        let selection = firmware::Selection { filter: Some("microbit".into()), transcript: true };
        let expected = Ok(Command::Firmware(Install::Asked, selection));
        assert_eq!(parse("firmware --install microbit --transcript"), expected);
        assert_eq!(parse("firmware --transcript microbit --install"), expected);
        let expected = Ok(Command::Rp2040(Install::Asked, Some("blink".into())));
        assert_eq!(parse("rp2040 blink --install"), expected);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in ["", "tests", "test --fast", "test microbit", "no-std --transcript"] {
            assert!(parse(line).is_err(), "`{line}` was taken");
        }
        assert!(parse("firmware a b").is_err());
        assert!(parse("rp2040 --transcript").is_err());
    }
}
