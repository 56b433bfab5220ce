//! A toolchain that can build for a chip: rustup's where it has the target, otherwise Debian's.
//!
//! Rustup's is what every user has, and a target is one download. Where the download cannot be had,
//! Debian's compiler builds `core` from source; everything that makes it do so is in the command's
//! environment, and nothing is written to a configuration file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::Result;
use crate::features::Manifest;
use crate::install::Install;
use crate::run::{ask, cargo, exists, root, run};

/// `rust-lld` is in the fourth, as a link to what is in the fifth.
const DEBIAN_PACKAGES: [&str; 5] =
    ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22"];
const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust/library/core";

/// What builds for one target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Toolchain {
    /// The one that runs this program.
    Rustup,
    /// Debian's, with `core` built from source.
    Debian,
}

impl Toolchain {
    /// The best there is for `target`; what is missing is installed where that is allowed.
    ///
    /// A target is asked for once: a download that failed is not tried at every step.
    pub fn with(target: &str, install: Install) -> Result<Self> {
        static FOUND: Mutex<BTreeMap<String, Toolchain>> = Mutex::new(BTreeMap::new());
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(toolchain) = found.get(target) {
            return Ok(*toolchain);
        }
        let toolchain = Self::find(target, install)?;
        found.insert(target.into(), toolchain);
        Ok(toolchain)
    }

    fn find(target: &str, install: Install) -> Result<Self> {
        if has_target(target) || rustup(&["target", "add", target]) && has_target(target) {
            return Ok(Self::Rustup);
        }
        println!("rustup does not bring {target}: using Debian's toolchain");
        if !debian_can() {
            install.packages(&format!("a toolchain for {target}"), &DEBIAN_PACKAGES)?;
        }
        if debian_can() {
            Ok(Self::Debian)
        } else {
            Err(format!("no toolchain here builds for {target}: try `rustup target add {target}`"))
        }
    }

    /// Its cargo, in the repository's root.
    pub fn cargo(self) -> Command {
        match self {
            Self::Rustup => cargo(),
            Self::Debian => {
                let mut cargo = Command::new("/usr/bin/cargo");
                cargo
                    .current_dir(root())
                    .env("RUSTC", "/usr/bin/rustc")
                    .env("RUSTDOC", "/usr/bin/rustdoc")
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_UNSTABLE_BUILD_STD", "core,alloc")
                    .env_remove("RUSTUP_TOOLCHAIN")
                    .env_remove("LD_LIBRARY_PATH")
                    // As rustup's is built; for size alone, `core` panics where it need not.
                    .args(["--config", "profile.release.package.core.opt-level=3"]);
                cargo
            }
        }
    }
}

/// Makes sure that a component such as `clippy` is there.
pub fn need_component(component: &str) -> Result {
    let subcommand = if component == "rustfmt" { "fmt" } else { component };
    if ask(cargo().args([subcommand, "--version"])).is_some()
        || rustup(&["component", "add", component])
    {
        return Ok(());
    }
    Err(format!("{component} is missing, and `rustup component add {component}` does not bring it"))
}

/// The cargo of one released version, in the repository's root; `None` if it cannot be had.
pub fn cargo_of(version: &str) -> Option<Command> {
    let mut cargo = Command::new("rustup");
    cargo.current_dir(root()).args(["run", version, "cargo"]);
    cargo.env_remove("LD_LIBRARY_PATH");
    let has_it =
        || ask(Command::new("rustup").args(["run", version, "rustc", "--version"])).is_some();
    let installed = has_it()
        || rustup(&["toolchain", "install", version, "--profile", "minimal", "--no-self-update"])
            && has_it();
    installed.then_some(cargo)
}

fn has_target(target: &str) -> bool {
    let folder = ask(Command::new("rustc").args(["--print", "target-libdir", "--target", target]));
    let Some(Ok(files)) = folder.map(fs::read_dir) else { return false };
    files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
}

/// Asks rustup for something, once more if need be: a download fails now and then.
fn rustup(arguments: &[&str]) -> bool {
    exists("rustup") && (0..2).any(|_| run(Command::new("rustup").args(arguments)).is_ok())
}

fn debian_can() -> bool {
    let Ok(manifest) = Manifest::read() else { return false };
    let rustc = ask(Command::new("/usr/bin/rustc").arg("--version").env_remove("LD_LIBRARY_PATH"));
    // A Debian of some age has an older compiler under the same name.
    rustc.is_some_and(|is| {
        version(is.trim_start_matches("rustc ")) >= version(&manifest.rust_version)
    }) && Path::new("/usr/bin/cargo").exists()
        && Path::new(DEBIAN_SOURCES).exists()
        && exists("rust-lld")
}

/// The first two numbers of `1.87` or `1.96.0 (…)`.
fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split(['.', ' ']).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(version("1.87"), (1, 87));
        assert_eq!(version("1.96.0 (ac68faa20 2026-04-14)"), (1, 96));
        assert!(version("1.100.0") > version("1.87"));
        assert!(version("1.63.0") < version("1.87"));
    }
}
