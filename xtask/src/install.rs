//! What is missing: installed when that is allowed, otherwise named.

use std::env;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Result;
use crate::run::{ask, exists, run};

/// Whether this program may change the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Install {
    /// In CI, and for root, who in practice is a container's.
    #[default]
    WhereNobodyMinds,
    /// Yes: somebody said `--install`.
    Asked,
}

impl Install {
    pub fn allowed(self) -> bool {
        self == Self::Asked || env::var("CI").is_ok_and(|ci| ci != "false") || is_root()
    }

    /// Makes sure that a program is there; `package` is Debian's that has it.
    pub fn need(self, program: &str, package: &str) -> Result {
        if exists(program) { Ok(()) } else { self.packages(program, &[package]) }
    }

    /// Installs Debian packages, for the sake of `what`.
    pub fn packages(self, what: &str, packages: &[&str]) -> Result {
        let line = format!("apt-get install --no-install-recommends {}", packages.join(" "));
        if !exists("apt-get") {
            return Err(format!(
                "{what} is missing, and this system has no apt-get. On Debian: {line}"
            ));
        }
        if !self.allowed() {
            return Err(format!(
                "{what} is missing. Install it with\n\n    sudo {line}\n\n\
                 or let this command do it: add --install"
            ));
        }
        static UPDATED: AtomicBool = AtomicBool::new(false);
        if !UPDATED.swap(true, Ordering::Relaxed) {
            run(apt_get().args(["--quiet", "update"]))?;
        }
        run(apt_get()
            .args(["--quiet", "--yes", "--no-install-recommends", "install"])
            .args(packages))
        .map_err(|failure| format!("{what} is missing and could not be installed: {failure}"))
    }
}

fn apt_get() -> Command {
    let mut command = Command::new(if is_root() { "apt-get" } else { "sudo" });
    if !is_root() {
        command.arg("apt-get");
    }
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root() -> bool {
    ask(Command::new("id").arg("-u")).is_some_and(|user| user == "0")
}
