//! What a program needs of a Raspberry Pi Pico: a clock that sleeps, an LED, a button, a serial
//! port, I2C, and an end with an exit code.
//!
//! A program calls [`start`] once and has the rest. `timer.rs` is meant to be copied into a program
//! of your own; what else is here is what every program with rp2040-hal does.

#![no_std]

mod exit;
mod timer;

use rp2040_hal::fugit::{HertzU32, RateExtU32};
use rp2040_hal::gpio::bank0::{Gpio0, Gpio1, Gpio4, Gpio5, Gpio14, Gpio15, Gpio25};
use rp2040_hal::gpio::{
    FunctionI2c, FunctionSioInput, FunctionSioOutput, FunctionUart, Interrupt, Pin, Pins, PullDown,
    PullNone, PullUp,
};
use rp2040_hal::i2c::I2C;
use rp2040_hal::pac::{self, I2C0, UART0};
use rp2040_hal::sio::SioFifo;
use rp2040_hal::uart::{DataBits, Reader, StopBits, UartConfig, UartPeripheral, Writer};
use rp2040_hal::{Clock, Sio, Watchdog, clocks};

pub use exit::{PANICKED, exit};
pub use rp2040_hal::entry;
pub use timer::{LONGEST_SLEEP, Timer, wake};

/// The LED on the board.
pub type Led = Pin<Gpio25, FunctionSioOutput, PullDown>;
/// A pin that answers.
pub type Answer = Pin<Gpio14, FunctionSioOutput, PullDown>;
/// A button to ground.
pub type Button = Pin<Gpio15, FunctionSioInput, PullUp>;
/// What comes in on the serial port.
pub type SerialIn = Reader<UART0, SerialPins>;
/// What goes out. Text can be written to it with `write!`, which waits until there is room.
pub type SerialOut = Writer<UART0, SerialPins>;
/// The serial port's pins, out and in.
pub type SerialPins = (Pin<Gpio0, FunctionUart, PullNone>, Pin<Gpio1, FunctionUart, PullUp>);
/// The I2C of the chip, as its controller. rp2040-hal 0.12 answers `Ok` to a plain write that no chip
/// acknowledges, and the next read fails in its place, of whichever chip (seen in the emulator).
pub type I2c = I2C<I2C0, I2cPins>;
/// The I2C's pins, data and clock. The chip's own pull-ups are weak: put a resistor of some
/// kilohms from each to 3.3 V, if there is none on the boards of the sensors.
pub type I2cPins = (Pin<Gpio4, FunctionI2c, PullUp>, Pin<Gpio5, FunctionI2c, PullUp>);

/// The board, set up.
pub struct Pico {
    /// The clock of this core.
    pub clock: Timer,
    /// The chip's timer, for telling the time anywhere.
    pub counter: rp2040_hal::Timer,
    /// The LED on the board.
    pub led: Led,
    /// A pin that answers.
    pub answer: Answer,
    /// A button to ground, whose interrupt is on: define `IO_IRQ_BANK0` and unmask it.
    pub button: Button,
    /// What comes in; its interrupt is on: define `UART0_IRQ` and unmask it.
    pub serial_in: SerialIn,
    /// What goes out, at 115,200 baud.
    pub serial_out: SerialOut,
    /// What it takes to start the I2C.
    pub two_wires: TwoWires,
    /// What it takes to start the second core.
    pub second_core: SecondCore,
}

/// The I2C, not started.
pub struct TwoWires {
    part: I2C0,
    pins: I2cPins,
    resets: pac::RESETS,
    chip_clock: HertzU32,
}

impl TwoWires {
    /// Starts it with a clock of so many hertz, at most 1,000,000.
    pub fn start(mut self, hertz: u32) -> I2c {
        let (data, clock) = self.pins;
        I2C::i2c0(self.part, data, clock, hertz.Hz(), &mut self.resets, self.chip_clock)
    }
}

/// What it takes to start the second core.
pub struct SecondCore {
    /// It can be switched off and on again.
    pub power: pac::PSM,
    /// It gets this core's table of interrupts.
    pub private: pac::PPB,
    /// It is told by this queue where to begin.
    pub queue: SioFifo,
}

/// The boot ROM loads this first; it makes the flash readable.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT2: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;

const CRYSTAL: u32 = 12_000_000;

/// Sets the board up: 125 MHz, a timer that counts microseconds, and the pins. Call it once, first.
pub fn start() -> Pico {
    let mut chip = pac::Peripherals::take().expect("`start` is called once");
    let resets = &mut chip.RESETS;
    let clocks = clocks::init_clocks_and_plls(
        CRYSTAL,
        chip.XOSC,
        chip.CLOCKS,
        chip.PLL_SYS,
        chip.PLL_USB,
        resets,
        &mut Watchdog::new(chip.WATCHDOG),
    );
    let Ok(clocks) = clocks else { panic!("the crystal does not oscillate") };
    let counter = rp2040_hal::Timer::new(chip.TIMER, resets, &clocks);

    let sio = Sio::new(chip.SIO);
    let pins = Pins::new(chip.IO_BANK0, chip.PADS_BANK0, sio.gpio_bank0, resets);
    let mut button = pins.gpio15.into_pull_up_input();
    button.clear_interrupt(Interrupt::EdgeLow);
    button.set_interrupt_enabled(Interrupt::EdgeLow, true);

    let config = UartConfig::new(115_200.Hz(), DataBits::Eight, None, StopBits::One);
    let pins_of_uart = (pins.gpio0.reconfigure(), pins.gpio1.reconfigure());
    let uart = UartPeripheral::new(chip.UART0, pins_of_uart, resets)
        .enable(config, clocks.peripheral_clock.freq());
    let Ok(uart) = uart else { panic!("the serial port has no such rate") };
    let (mut serial_in, serial_out) = uart.split();
    serial_in.enable_rx_interrupt();

    Pico {
        clock: Timer::start(counter),
        counter,
        led: pins.gpio25.into_push_pull_output(),
        answer: pins.gpio14.into_push_pull_output(),
        button,
        serial_in,
        serial_out,
        two_wires: TwoWires {
            part: chip.I2C0,
            pins: (pins.gpio4.reconfigure(), pins.gpio5.reconfigure()),
            resets: chip.RESETS,
            chip_clock: clocks.system_clock.freq(),
        },
        second_core: SecondCore { power: chip.PSM, private: chip.PPB, queue: sio.fifo },
    }
}
