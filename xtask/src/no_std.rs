//! The library builds for chips, with no features and with all that a chip can have, and whatever the
//! binary chooses.

use crate::Result;
use crate::elf::function;
use crate::features::Manifest;
use crate::install::Install;
use crate::run::{root, run as run_command};
use crate::toolchain::Toolchain;

const TARGETS: [&str; 4] = [
    "thumbv6m-none-eabi",
    "thumbv7em-none-eabihf",
    "thumbv8m.main-none-eabihf",
    "riscv32imc-unknown-none-elf",
];

pub fn run(install: Install) -> Result {
    let features = Manifest::read()?.features_for_chips();
    for target in TARGETS {
        let toolchain = Toolchain::with(target, install)?;
        let build = |features: &[&str]| {
            let mut cargo = toolchain.cargo();
            cargo.args(["build", "--package", "ensue", "--lib", "--release", "--target", target]);
            run_command(cargo.arg("--no-default-features").args(features))
        };
        build(&[])?;
        if !features.is_empty() {
            build(&["--features", &features])?;
        }
    }
    the_choice_is_the_binarys(install)
}

/// The program that is linked once for each choice.
pub const CHOICES: &str = "tests/choices";

/// A chip without a compare-and-swap.
pub const CHOICES_TARGET: &str = "riscv32imc-unknown-none-elf";

/// How programs choose that atomics and critical sections are made: not at all, as esp-hal does, and
/// with critical sections for everything.
pub const THE_CHOICES: [&str; 3] = ["", "esp-hal", "critical-section"];

/// Triggers without params are the same stores whatever the program has chosen.
fn the_choice_is_the_binarys(install: Install) -> Result {
    let toolchain = Toolchain::with(CHOICES_TARGET, install)?;
    let target = root().join("target/choices");
    println!();
    for choice in THE_CHOICES {
        let mut cargo = toolchain.cargo();
        cargo.current_dir(root().join(CHOICES)).args([
            "build",
            "--release",
            "--target",
            CHOICES_TARGET,
        ]);
        cargo.args(["--target-dir", "../../target/choices", "--features", choice]);
        run_command(&mut cargo)?;

        let program = target.join(CHOICES_TARGET).join("release/ensue-choices");
        let is_straight = |name| Ok::<_, String>(is_straight(&function(&program, name)?));
        // The controls: a critical section is found where there is one, and where it was chosen.
        let expected = [
            ("trigger", true),
            ("stop", true),
            ("trigger_with", false),
            ("store", choice != "critical-section"),
        ];
        for (name, expected) in expected {
            if is_straight(name)? != expected {
                let found =
                    if expected { "a call or a masking" } else { "neither call nor masking" };
                return Err(format!("with the choice `{choice}`, `{name}` has {found} in it"));
            }
        }
    }
    println!("\na trigger without params has no critical section, whatever a program chooses");
    Ok(())
}

/// Whether a RISC-V function goes straight through to its end: it calls nothing, and touches none of
/// the registers that mask interrupts.
fn is_straight(code: &[u8]) -> bool {
    let mut rest = code;
    while let [first, second, behind @ ..] = rest {
        let half = u16::from_le_bytes([*first, *second]);
        let (is_straight, behind) = if half & 0b11 == 0b11 {
            // jalr, jal, system.
            (![0x67, 0x6f, 0x73].contains(&(half & 0x7f)), behind.get(2..).unwrap_or_default())
        } else {
            // c.jal and c.j; c.jr, c.jalr and c.ebreak, of which `ret` is one.
            let jumps = [0x2001, 0xa001].contains(&(half & 0xe003));
            let by_register = half & 0xe07f == 0x8002;
            (!jumps && (!by_register || half == 0x8082), behind)
        };
        if !is_straight {
            return false;
        }
        rest = behind;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_or_a_masking_is_found() {
        const FENCE: [u8; 4] = [0x0f, 0x00, 0x30, 0x03];
        const RET: [u8; 2] = [0x82, 0x80];
        let li = [0x85, 0x45];
        assert!(is_straight(&[&FENCE[..], &li, &RET].concat()));
        let detours: [&[u8]; 6] = [
            &[0xe7, 0x80, 0xc0, 0x8c], // jalr -1844(ra)
            &[0xef, 0x00, 0x40, 0x00], // jal 4
            &[0x73, 0x70, 0x04, 0x30], // csrci mstatus, 8
            &[0x11, 0x20],             // c.jal 4
            &[0x02, 0x95],             // c.jalr a0
            &[0x02, 0x85],             // c.jr a0
        ];
        for detour in detours {
            assert!(!is_straight(&[&FENCE[..], detour, &RET].concat()), "{detour:x?}");
        }
    }
}
