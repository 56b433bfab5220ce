//! Everything that is checked, in the order of what it costs to find a mistake.

use crate::board::BOARDS;
use crate::features::Manifest;
use crate::install::Install;
use crate::run::{cargo, root, run as run_command};
use crate::toolchain::{Toolchain, cargo_of, need_component};
use crate::{Result, defmt, esp32c3, firmware, minimal, no_std, rp2040, size, trigger};

/// What is measured on chips: built and looked at here, run by whoever wants to know.
const BENCHES: &str = "benches/qemu";
const BENCHES_TARGET: &str = "thumbv7m-none-eabi";

/// Crates of their own, outside the workspace.
const OTHER_CRATES: [&str; 10] = [
    BENCHES,
    minimal::FOLDER,
    "examples/qemu",
    "examples/size",
    "examples/defmt",
    defmt::DECODER,
    rp2040::FOLDER,
    esp32c3::FOLDER,
    no_std::CHOICES,
    FUZZ,
];

const FUZZ: &str = "fuzz";

pub fn run(install: Install) -> Result {
    let manifest = Manifest::read()?;
    let mut report = Report::default();
    report.step("format", format)?;
    report.step("lints", lints)?;
    report.step("documentation", documentation)?;
    report.step("tests", || tests(&manifest))?;
    report.step("models", models)?;
    report.step("fuzz targets", fuzz_targets)?;
    report.step("examples", examples)?;
    report.step("minimum Rust version", || minimum_rust(&manifest))?;
    report.step("no_std builds", || no_std::run(install).map(|()| Done::All))?;
    report.step("no panics", || size::run(install).map(|()| Done::All))?;
    report.step("cost of a trigger", || trigger::run(install).map(|()| Done::All))?;
    report.step("firmware lints", || firmware_lints(install))?;
    report.step("firmware", || {
        firmware::run(install, &firmware::Selection::default()).map(|()| Done::All)
    })?;
    report.step("firmware to copy", || minimal::run(install).map(|()| Done::All))?;
    report.step("log", || defmt::run(install).map(|()| Done::All))?;
    report.step("RP2040", || rp2040::run(install, None).map(|()| Done::All))?;
    report.step("ESP32-C3", || {
        esp32c3::run(install).map(|left_out| left_out.map_or(Done::All, Done::Except))
    })?;
    report.print();
    Ok(())
}

/// How a step came to its end, if not by a failure.
enum Done {
    All,
    /// Something cannot be had on this machine; the text says what was left out and why.
    Except(String),
}

/// What was run, and what was not.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
}

impl Report {
    fn step(&mut self, name: &str, step: impl FnOnce() -> Result<Done>) -> Result {
        println!("\n==> {name}");
        match step() {
            Ok(Done::All) => self.lines.push(format!("ok       {name}")),
            Ok(Done::Except(what)) => self.lines.push(format!("NOT RUN  {name}: {what}")),
            Err(complaint) => {
                self.print();
                return Err(format!("the step `{name}` failed: {complaint}"));
            }
        }
        Ok(())
    }

    fn print(&self) {
        println!("\n==> what was run\n{}", self.lines.join("\n"));
    }
}

fn format() -> Result<Done> {
    need_component("rustfmt")?;
    run_command(cargo().args(["fmt", "--all", "--check"]))?;
    for folder in OTHER_CRATES {
        run_command(cargo().current_dir(root().join(folder)).args(["fmt", "--check"]))?;
    }
    Ok(Done::All)
}

fn lints() -> Result<Done> {
    need_component("clippy")?;
    let mut cargo = cargo();
    cargo.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]);
    run_command(&mut cargo)?;
    Ok(Done::All)
}

fn documentation() -> Result<Done> {
    let mut cargo = cargo();
    cargo.args(["doc", "--package", "ensue", "--no-deps", "--all-features"]);
    run_command(cargo.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Done::All)
}

/// With no feature, with each, and with all; and this program's own.
fn tests(manifest: &Manifest) -> Result<Done> {
    let test = |features: &[&str]| {
        let mut cargo = cargo();
        run_command(
            cargo.args(["test", "--package", "ensue", "--no-default-features"]).args(features),
        )
    };
    test(&[])?;
    for feature in &manifest.features {
        test(&["--features", feature])?;
    }
    // With one feature, each is all.
    if manifest.features.len() > 1 {
        test(&["--all-features"])?;
    }
    run_command(cargo().args(["test", "--package", "xtask"]))?;
    Ok(Done::All)
}

/// What interrupts and main share, in every order. Other flags, so other artefacts.
fn models() -> Result<Done> {
    let mut cargo = cargo();
    cargo.env("RUSTFLAGS", "--cfg loom").args(["test", "--package", "ensue", "--release"]);
    cargo.args(["--test", "inbox_loom", "--test", "ring_loom", "--target-dir", "target/loom"]);
    run_command(&mut cargo)?;
    Ok(Done::All)
}

/// What the fuzz targets do, over their seeds. It takes neither cargo-fuzz nor a nightly compiler;
/// to look for something new is for them: `fuzz/README.md`.
fn fuzz_targets() -> Result<Done> {
    let fuzz = |arguments: &[&str]| {
        let mut cargo = cargo();
        run_command(cargo.current_dir(root().join(FUZZ)).args(arguments))
    };
    fuzz(&["clippy", "--all-targets", "--no-default-features", "--", "-D", "warnings"])?;
    fuzz(&["test", "--lib", "--no-default-features"])?;
    Ok(Done::All)
}

fn examples() -> Result<Done> {
    run_command(cargo().args(["build", "--package", "ensue", "--examples", "--all-features"]))?;
    Ok(Done::All)
}

/// The library builds with the oldest compiler that `Cargo.toml` promises. Tests and examples may
/// need a newer one.
fn minimum_rust(manifest: &Manifest) -> Result<Done> {
    let version = match manifest.rust_version.split('.').count() {
        2 => format!("{}.0", manifest.rust_version),
        _ => manifest.rust_version.clone(),
    };
    for features in [&[][..], &["--all-features"]] {
        let Some(mut cargo) = cargo_of(&version) else {
            return Ok(Done::Except(format!(
                "Rust {version} cannot be had here; try `rustup toolchain install {version}`"
            )));
        };
        run_command(cargo.args(["check", "--package", "ensue", "--lib"]).args(features))?;
    }
    Ok(Done::All)
}

fn firmware_lints(install: Install) -> Result<Done> {
    let boards = BOARDS.iter().map(|board| (firmware::folder(), board.target, ""));
    let mut without_clippy = Vec::new();
    let others = [
        (root().join(minimal::FOLDER), minimal::TARGET, ""),
        (defmt::folder(), defmt::TARGET, ""),
        (root().join(size::FOLDER), rp2040::TARGET, ""),
        (root().join(rp2040::FOLDER), rp2040::TARGET, ""),
        (root().join(esp32c3::FOLDER), esp32c3::TARGET, ""),
        (root().join(BENCHES), BENCHES_TARGET, ""),
    ];
    let choices = no_std::THE_CHOICES
        .map(|choice| (root().join(no_std::CHOICES), no_std::CHOICES_TARGET, choice));
    for (folder, target, features) in boards.chain(others).chain(choices) {
        if Toolchain::with(target, install)? == Toolchain::Debian {
            without_clippy.push(target);
            continue;
        }
        let mut cargo = cargo();
        cargo.current_dir(folder).args(["clippy", "--release", "--target", target]);
        cargo.args(["--target-dir", "target", "--features", features]);
        run_command(cargo.args(["--", "-D", "warnings"]))?;
    }
    if without_clippy.is_empty() {
        Ok(Done::All)
    } else {
        Ok(Done::Except(format!("rustup does not bring {}", without_clippy.join(", "))))
    }
}
