//! Running other programs: announced, unfiltered, and with a failure that names the command.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;

/// The repository's root.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// The cargo that runs this program, in the repository's root.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// Runs a command whose output goes where ours goes.
pub fn run(command: &mut Command) -> Result {
    let shown = shown(command);
    println!("$ {shown}");
    let status = command.status().map_err(|error| format!("`{shown}` did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed ({status})")) }
}

/// Runs a command for what it prints; `None` if it cannot be run or fails.
pub fn ask(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a program of this name can be found.
pub fn exists(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A command as one would type it in the repository's root.
pub fn shown(command: &Command) -> String {
    let mut words = Vec::new();
    if let Some(folder) = command.get_current_dir().and_then(|at| at.strip_prefix(root()).ok())
        && folder != Path::new("")
    {
        words.push(format!("cd {};", folder.display()));
    }
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", name.display(), quoted(&value.to_string_lossy())));
        }
    }
    let program = Path::new(command.get_program());
    // Cargo names itself by its whole path; what one types is its name.
    let is_ours = env::var_os("CARGO").is_some_and(|cargo| program == Path::new(&cargo));
    words.push(if is_ours { "cargo".into() } else { program.display().to_string() });
    words.extend(command.get_args().map(|word| quoted(&word.to_string_lossy())));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    if word.contains(char::is_whitespace) { format!("\"{word}\"") } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("tool");
        command.current_dir(root().join("examples/qemu")).env("FLAGS", "-D warnings").arg("go");
        assert_eq!(shown(&command), "cd examples/qemu; FLAGS=\"-D warnings\" tool go");
        assert_eq!(shown(Command::new("tool").arg("go")), "tool go");
    }

    #[test]
    fn a_failing_command_is_named() {
        let failure = run(&mut Command::new("false")).unwrap_err();
        assert!(failure.contains("`false` failed"), "{failure}");
        let failure = run(&mut Command::new("there-is-no-such-program")).unwrap_err();
        assert!(failure.contains("did not start"), "{failure}");
    }
}
