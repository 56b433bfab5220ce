//! Chooses the board, its memory layout and the linker scripts: each target has one board.

use std::path::PathBuf;
use std::{env, fs};

/// Target, board, linker scripts.
const BOARDS: [(&str, &str, &[&str]); 6] = [
    ("thumbv6m-none-eabi", "microbit", &["link.x"]),
    ("thumbv7m-none-eabi", "lm3s6965evb", &["link.x"]),
    ("thumbv7em-none-eabihf", "mps2-an386", &["link.x"]),
    ("thumbv8m.main-none-eabihf", "mps2-an505", &["link.x"]),
    ("riscv32imc-unknown-none-elf", "virt", &["memory.x", "link.x"]),
    ("riscv32imac-unknown-none-elf", "virt", &["memory.x", "link.x"]),
];

fn main() {
    let target = env::var("TARGET").expect("cargo sets TARGET");
    let Some((_, board, scripts)) = BOARDS.iter().find(|(name, ..)| *name == target) else {
        let known = BOARDS.map(|(name, ..)| name).join(", ");
        panic!("no board here for the target {target}; choose one of: {known}");
    };

    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    let layout = format!("boards/{board}.x");
    fs::copy(&layout, out.join("memory.x")).expect("each board has its memory layout in boards/");
    // cortex-m-rt asks for a list of interrupt names; src/vectors.rs does without.
    fs::write(out.join("device.x"), "").expect("cargo's directory can be written to");

    println!("cargo:rerun-if-changed=boards");
    println!("cargo:rustc-link-search={}", out.display());
    for script in *scripts {
        println!("cargo:rustc-link-arg-bins=-T{script}");
    }

    let boards = BOARDS.map(|(_, board, _)| format!("{board:?}")).join(", ");
    println!("cargo:rustc-check-cfg=cfg(board, values({boards}))");
    println!("cargo:rustc-cfg=board={board:?}");
}
