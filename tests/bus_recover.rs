//! Freeing a bus whose SDA line is held low, against devices that were left in the middle of a byte.
#![cfg(feature = "bus")]

use std::cell::RefCell;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{self, ErrorKind, ErrorType, InputPin, OutputPin};
use ensue::bus::{RecoverError, Recovered, recover_bus};

/// Two lines with pull-ups, a controller that pulls or lets go, and one device.
struct Lines {
    controller: [bool; 2], // whether it lets go of SCL and SDA
    device: Device,
    clocks: u32,
    starts: u32,
    stops: u32,
    broken: Option<Line>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Line {
    Scl,
    Sda,
}

/// What was left behind.
enum Device {
    /// It sends these bits, of which it is at one, and lets go for the ninth.
    Sends { byte: u8, bit: u8, over: bool },
    /// It holds the acknowledge of a byte it received, until the clock falls.
    Acknowledges { over: bool },
    /// It holds SDA for ever.
    Dead,
    /// It holds SCL for ever.
    Stretches,
    /// It holds SCL for so many looks at it after each clock, and SDA for three clocks.
    Slow { looks: u32, left: u32, clocks: u32 },
}

impl Device {
    fn lets_go(&self) -> [bool; 2] {
        match self {
            Self::Sends { over: true, .. } | Self::Acknowledges { over: true } => [true, true],
            Self::Sends { byte, bit, .. } => [true, *bit > 7 || byte << bit & 0x80 != 0],
            Self::Acknowledges { .. } | Self::Dead => [true, false],
            Self::Stretches => [false, true],
            Self::Slow { left, clocks, .. } => [*left == 0, *clocks >= 3],
        }
    }

    fn clock_falls(&mut self) {
        match self {
            Self::Sends { bit, .. } => *bit += 1,
            Self::Acknowledges { over } => *over = true,
            Self::Slow { looks, left, clocks } => (*left, *clocks) = (*looks, *clocks + 1),
            Self::Dead | Self::Stretches => {}
        }
    }

    /// A ninth bit that is not acknowledged, or a STOP: this is over.
    fn ends(&mut self) {
        match self {
            Self::Sends { over, .. } | Self::Acknowledges { over } => *over = true,
            Self::Dead | Self::Stretches | Self::Slow { .. } => {}
        }
    }
}

impl Lines {
    fn left_by(device: Device) -> RefCell<Self> {
        let controller = [true, true];
        RefCell::new(Self { controller, device, clocks: 0, starts: 0, stops: 0, broken: None })
    }

    fn levels(&self) -> [bool; 2] {
        let device = self.device.lets_go();
        [self.controller[0] && device[0], self.controller[1] && device[1]]
    }

    fn drive(&mut self, line: Line, high: bool) {
        let [scl, sda] = self.levels();
        self.controller[line as usize] = high;
        let [new_scl, new_sda] = self.levels();
        if scl && new_scl && sda != new_sda {
            if new_sda {
                self.stops += 1;
                self.device.ends();
            } else {
                self.starts += 1;
            }
        }
        if scl && !new_scl {
            self.clocks += 1;
            self.device.clock_falls();
        }
    }
}

struct Pin<'a>(Line, &'a RefCell<Lines>);

#[derive(Debug, PartialEq)]
struct PinBroke(Line);

impl digital::Error for PinBroke {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl Pin<'_> {
    fn check(&self) -> Result<(), PinBroke> {
        if self.1.borrow().broken == Some(self.0) { Err(PinBroke(self.0)) } else { Ok(()) }
    }
}

impl ErrorType for Pin<'_> {
    type Error = PinBroke;
}

impl OutputPin for Pin<'_> {
    fn set_low(&mut self) -> Result<(), PinBroke> {
        self.1.borrow_mut().drive(self.0, false);
        self.check()
    }

    fn set_high(&mut self) -> Result<(), PinBroke> {
        self.1.borrow_mut().drive(self.0, true);
        self.check()
    }
}

impl InputPin for Pin<'_> {
    fn is_high(&mut self) -> Result<bool, PinBroke> {
        let mut lines = self.1.borrow_mut();
        if let (Line::Scl, Device::Slow { left, .. }) = (self.0, &mut lines.device) {
            *left = left.saturating_sub(1);
        }
        Ok(lines.levels()[self.0 as usize])
    }

    fn is_low(&mut self) -> Result<bool, PinBroke> {
        self.is_high().map(|high| !high)
    }
}

/// Counts the microseconds.
struct Delay(u64);

impl DelayNs for Delay {
    fn delay_ns(&mut self, ns: u32) {
        self.0 += u64::from(ns) / 1_000;
    }
}

fn recover(lines: &RefCell<Lines>) -> (Result<Recovered, RecoverError<PinBroke>>, u64) {
    let mut delay = Delay(0);
    let result = recover_bus(&mut Pin(Line::Scl, lines), &mut Pin(Line::Sda, lines), &mut delay);
    (result, delay.0)
}

#[test]
fn whatever_byte_a_device_was_sending_it_is_stopped_within_nine_clocks() {
    for byte in 0..=255_u8 {
        for bit in 0..8 {
            let lines = Lines::left_by(Device::Sends { byte, bit, over: false });
            let was_free = lines.borrow().levels()[1];
            let (result, us) = recover(&lines);
            let lines = lines.borrow();
            assert_eq!(lines.levels(), [true, true]);
            if was_free {
                assert_eq!((result, lines.clocks), (Ok(Recovered::WasFree), 0));
                continue;
            }
            // The next one in the byte after this bit is where a STOP is possible, or the ninth.
            let expected = (bit + 1..8).find(|next| byte << next & 0x80 != 0).unwrap_or(8) - bit;
            assert_eq!(result, Ok(Recovered::After { clocks: expected }), "{byte:#04x} at {bit}");
            assert_eq!(lines.clocks, u32::from(expected));
            assert!(us < 200);
            assert_eq!((lines.starts, lines.stops), (0, 1), "{byte:#04x} at {bit}");
            assert!(matches!(lines.device, Device::Sends { over: true, .. }));
        }
    }
}

#[test]
fn a_device_left_in_an_acknowledge_is_stopped_by_the_first_clock() {
    let lines = Lines::left_by(Device::Acknowledges { over: false });
    assert_eq!(recover(&lines).0, Ok(Recovered::After { clocks: 1 }));
    assert_eq!(lines.borrow().levels(), [true, true]);
}

#[test]
fn a_dead_device_is_reported_after_nine_clocks_and_no_more() {
    let lines = Lines::left_by(Device::Dead);
    assert_eq!(recover(&lines).0, Err(RecoverError::SdaStuck));
    let lines = lines.borrow();
    assert_eq!((lines.clocks, lines.stops, lines.controller), (9, 0, [true, true]));
}

#[test]
fn a_clock_that_is_held_is_reported_within_the_time_of_smbus() {
    let lines = Lines::left_by(Device::Stretches);
    let (result, us) = recover(&lines);
    assert_eq!((result, us), (Err(RecoverError::SclStuck), 25_000));
    assert_eq!(lines.borrow().controller, [true, true]);
}

#[test]
fn a_device_that_stretches_the_clock_is_waited_for() {
    let lines = Lines::left_by(Device::Slow { looks: 100, left: 0, clocks: 0 });
    let (result, us) = recover(&lines);
    assert_eq!(result, Ok(Recovered::After { clocks: 3 }));
    assert!(us > 3 * 100 * 5);
}

#[test]
fn a_pin_that_fails_is_reported() {
    for line in [Line::Scl, Line::Sda] {
        let lines = Lines::left_by(Device::Dead);
        lines.borrow_mut().broken = Some(line);
        assert_eq!(recover(&lines).0, Err(RecoverError::Pin(PinBroke(line))));
    }
}
