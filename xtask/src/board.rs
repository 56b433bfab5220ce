//! The boards that QEMU emulates for us.

use std::process::Command;

/// An emulated board, and what compiles for it. `examples/qemu/build.rs` knows the same pairs.
#[derive(Debug)]
pub struct Board {
    pub name: &'static str,
    pub core: &'static str,
    pub target: &'static str,
    machine: &'static str,
    emulator: &'static Emulator,
}

#[derive(Debug)]
struct Emulator {
    program: &'static str,
    package: &'static str,
    options: &'static [&'static str],
}

const ARM: Emulator = Emulator {
    program: "qemu-system-arm",
    package: "qemu-system-arm",
    options: &["-semihosting-config", "enable=on,target=native"],
};

const RISC_V: Emulator = Emulator {
    program: "qemu-system-riscv32",
    package: "qemu-system-misc",
    options: &["-bios", "none"],
};

pub const BOARDS: [Board; 6] = [
    Board {
        name: "microbit",
        core: "Cortex-M0",
        target: "thumbv6m-none-eabi",
        machine: "microbit",
        emulator: &ARM,
    },
    Board {
        name: "lm3s6965evb",
        core: "Cortex-M3",
        target: "thumbv7m-none-eabi",
        machine: "lm3s6965evb",
        emulator: &ARM,
    },
    Board {
        name: "mps2-an386",
        core: "Cortex-M4F",
        target: "thumbv7em-none-eabihf",
        machine: "mps2-an386",
        emulator: &ARM,
    },
    Board {
        name: "mps2-an505",
        core: "Cortex-M33",
        target: "thumbv8m.main-none-eabihf",
        machine: "mps2-an505",
        emulator: &ARM,
    },
    Board {
        name: "virt-imc",
        core: "RV32IMC",
        target: "riscv32imc-unknown-none-elf",
        machine: "virt",
        emulator: &RISC_V,
    },
    Board {
        name: "virt-imac",
        core: "RV32IMAC",
        target: "riscv32imac-unknown-none-elf",
        machine: "virt",
        emulator: &RISC_V,
    },
];

/// How the emulated time passes. In both, an instruction takes 64 ns of it, whatever the host does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// A sleeping core waits as long as it says, so that there is time to type. It wakes as late
    /// as the host lets it: late by tens of microseconds, or by milliseconds on a busy host.
    Real,
    /// A sleeping core is at its alarm at once: hours pass in no time, every run is the same, and
    /// typing into it makes no sense.
    ///
    /// A counter that goes round by itself may have gone round once more when the core wakes (seen
    /// with SysTick in QEMU 7.2): a second timer sees more time pass than SysTick does.
    Virtual,
}

impl Board {
    /// The emulator's name, and the Debian package that has it.
    pub fn emulator(&self) -> (&'static str, &'static str) {
        (self.emulator.program, self.emulator.package)
    }

    /// Starts this board with its serial port on standard input and output.
    pub fn command(&self, pace: Pace) -> Command {
        let mut qemu = Command::new(self.emulator.program);
        qemu.args(["-machine", self.machine]).args(self.emulator.options);
        qemu.args(["-display", "none", "-monitor", "none", "-serial", "stdio", "-icount"]);
        qemu.arg(match pace {
            Pace::Real => "shift=6",
            Pace::Virtual => "shift=6,sleep=off",
        });
        qemu
    }
}
