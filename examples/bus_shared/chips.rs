//! The hardware of this example, simulated: two buses with chips on them, as far as the drivers look.
//!
//! In a firmware none of this exists. There `I2cHal` and `SpiHal` are your HAL's.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use embedded_hal::digital::{ErrorType as PinErrorType, OutputPin};
use embedded_hal::i2c::{self, ErrorKind, NoAcknowledgeSource};
use embedded_hal::spi::{self, MODE_0, MODE_3, Mode, SpiBus};

/// An I2C controller with thermometers of the LM75 family on its wires.
pub(crate) struct I2cHal {
    pub(crate) speed: u32,
    pub(crate) chips: Vec<Lm75Chip>,
}

/// The chip: four registers behind a pointer.
pub(crate) struct Lm75Chip {
    pub(crate) address: u8,
    /// The fastest clock it understands, in hertz.
    pub(crate) fastest: u32,
    /// How often it does not answer before it does: somebody is plugging it in.
    pub(crate) absent: u32,
    pub(crate) half_degrees: i16,
    pub(crate) register: u8,
}

const NOBODY: ErrorKind = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);

impl i2c::ErrorType for I2cHal {
    type Error = ErrorKind;
}

impl i2c::I2c for I2cHal {
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [i2c::Operation<'_>],
    ) -> Result<(), ErrorKind> {
        let speed = self.speed;
        let mut chips = self.chips.iter_mut();
        let chip = chips.find(|chip| chip.address == address && speed <= chip.fastest);
        let chip = chip.ok_or(NOBODY)?;
        if chip.absent > 0 {
            chip.absent -= 1;
            return Err(NOBODY);
        }
        for operation in operations {
            match operation {
                i2c::Operation::Write(bytes) => {
                    if let Some(register) = bytes.first() {
                        chip.register = *register;
                    }
                }
                i2c::Operation::Read(bytes) => {
                    let temperature = (chip.half_degrees << 7).to_be_bytes();
                    let value = if chip.register == 0 { temperature } else { [0; 2] };
                    for (byte, of) in bytes.iter_mut().zip(value) {
                        *byte = of;
                    }
                }
            }
        }
        Ok(())
    }
}

/// An SPI controller with a flash chip and a display on its wires, each with its own select.
pub(crate) struct SpiHal(Rc<RefCell<SpiWires>>);

struct SpiWires {
    mode: Mode,
    flash_selected: bool,
    flash: FlashChip,
    display_selected: bool,
    display: Rc<RefCell<String>>,
}

/// The chip selects, and what is on the display.
pub(crate) struct SpiBoard {
    pub(crate) flash_select: Select,
    pub(crate) display_select: Select,
    pub(crate) display: Rc<RefCell<String>>,
}

/// A chip-select pin.
pub(crate) struct Select {
    wires: Rc<RefCell<SpiWires>>,
    set: fn(&mut SpiWires, bool),
}

impl SpiHal {
    pub(crate) fn new() -> (Self, SpiBoard) {
        let display = Rc::default();
        let wires = Rc::new(RefCell::new(SpiWires {
            mode: MODE_0,
            flash_selected: false,
            flash: FlashChip::new(),
            display_selected: false,
            display: Rc::clone(&display),
        }));
        let select = |set| Select { wires: Rc::clone(&wires), set };
        let board = SpiBoard {
            flash_select: select(|wires, on| {
                wires.flash_selected = on;
                wires.flash.selected(on);
            }),
            display_select: select(|wires, on| wires.display_selected = on),
            display,
        };
        (Self(wires), board)
    }

    pub(crate) fn set_mode(&mut self, mode: Mode) {
        let mut wires = self.0.borrow_mut();
        assert!(!wires.flash_selected && !wires.display_selected, "a chip is selected");
        wires.mode = mode;
    }

    /// One byte out and one in, at the same clocks.
    fn exchange(&mut self, out: u8) -> u8 {
        let wires = &mut *self.0.borrow_mut();
        match (wires.flash_selected, wires.display_selected) {
            (true, false) if wires.mode == MODE_0 => wires.flash.exchange(out),
            (false, true) if wires.mode == MODE_3 => {
                wires.display.borrow_mut().push(out.into());
                0xFF
            }
            (true, true) => panic!("two chips are selected"),
            _ => 0xFF, // nobody understands, so nobody drives the line
        }
    }
}

impl spi::ErrorType for SpiHal {
    type Error = Infallible;
}

impl SpiBus for SpiHal {
    fn read(&mut self, words: &mut [u8]) -> Result<(), Infallible> {
        words.fill(0);
        self.transfer_in_place(words)
    }

    fn write(&mut self, words: &[u8]) -> Result<(), Infallible> {
        for word in words {
            self.exchange(*word);
        }
        Ok(())
    }

    fn transfer(&mut self, read: &mut [u8], write: &[u8]) -> Result<(), Infallible> {
        for place in 0..read.len().max(write.len()) {
            let word = self.exchange(write.get(place).copied().unwrap_or(0));
            if let Some(read) = read.get_mut(place) {
                *read = word;
            }
        }
        Ok(())
    }

    fn transfer_in_place(&mut self, words: &mut [u8]) -> Result<(), Infallible> {
        for word in words {
            *word = self.exchange(*word);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl PinErrorType for Select {
    type Error = Infallible;
}

impl OutputPin for Select {
    fn set_low(&mut self) -> Result<(), Infallible> {
        (self.set)(&mut self.wires.borrow_mut(), true);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        (self.set)(&mut self.wires.borrow_mut(), false);
        Ok(())
    }
}

/// A pin that is tied to the supply, as the flash chip's HOLD and WP often are.
pub(crate) struct Tied;

impl PinErrorType for Tied {
    type Error = Infallible;
}

impl OutputPin for Tied {
    fn set_low(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A NOR flash: a command while it is selected, and what it commands when it is not any more.
struct FlashChip {
    memory: Vec<u8>,
    command: Vec<u8>,
    writable: bool,
    /// How many looks at its status it is still busy.
    busy: u32,
}

impl FlashChip {
    fn new() -> Self {
        Self { memory: vec![0xFF; 64 * 1024], command: Vec::new(), writable: false, busy: 0 }
    }

    fn address(&self, beyond: usize) -> usize {
        let bytes = self.command.get(1..4).unwrap_or_default();
        bytes.iter().fold(0, |address, byte| address << 8 | usize::from(*byte)) + beyond
    }

    fn exchange(&mut self, out: u8) -> u8 {
        let place = self.command.len();
        self.command.push(out);
        match self.command.first() {
            Some(0x05) => u8::from(self.writable) << 1 | u8::from(self.busy > 0),
            Some(0x03) if place >= 4 => {
                self.memory.get(self.address(place - 4)).copied().unwrap_or(0xFF)
            }
            _ => 0xFF,
        }
    }

    fn selected(&mut self, on: bool) {
        if on {
            self.command.clear();
            return;
        }
        let command = self.command.first().copied();
        match command {
            Some(0x05) => self.busy = self.busy.saturating_sub(1),
            Some(0x06) => self.writable = true,
            Some(0x02) if self.writable => {
                let start = self.address(0);
                let data = self.command.get(4..).unwrap_or_default();
                for (cell, byte) in self.memory.iter_mut().skip(start).zip(data) {
                    *cell &= *byte; // programming only clears bits
                }
            }
            Some(0x20) if self.writable => {
                let start = self.address(0) & !0xFFF;
                self.memory.iter_mut().skip(start).take(0x1000).for_each(|cell| *cell = 0xFF);
            }
            _ => {}
        }
        if matches!(command, Some(0x02 | 0x20)) {
            self.writable = false;
            self.busy = 3;
        }
        self.command.clear();
    }
}
