//! Two buses, four chips, drivers from crates.io that know nothing of each other or of this crate.

use std::convert::Infallible;
use std::error::Error;
use std::fmt::Write;

use embedded_hal::delay::DelayNs;
use embedded_hal::spi::{MODE_0, MODE_3, SpiDevice};
use ensue::ExtU64;
use ensue::bus::spi::Settings;
use ensue::bus::{AttachError, RateExtU32, i2c, spi};
use ensue::pattern::Backoff;
use lm75::{Address, Lm75};
use w25q32jv::W25q32jv;

use crate::chips::{I2cHal, Lm75Chip, SpiHal, Tied};

/// Simulated time passes by itself.
struct Delay;

impl DelayNs for Delay {
    fn delay_ns(&mut self, _: u32) {}
}

pub(crate) fn tell(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    thermometers(out)?;
    writeln!(out)?;
    flash_and_display(out)
}

/// One I2C bus. The thermometer outdoors hangs on a long cable and only understands 100 kHz.
fn thermometers(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let chip = |address, fastest, absent, half_degrees| Lm75Chip {
        address,
        fastest,
        absent,
        half_degrees,
        register: 0,
    };
    let chips = vec![chip(0x48, 400_000, 0, 43), chip(0x49, 100_000, 2, -6)];
    let i2c = I2cHal { speed: 100_000, chips };

    let bus = i2c::Bus::new(i2c).with_delay(Delay).tuned(100.kHz(), |i2c, speed| {
        i2c.speed = speed.to_Hz();
        Ok::<(), Infallible>(())
    });

    let patience = Backoff::new(10.millis(), 100.millis()).give_up_after(5);
    let indoors = bus.attach("indoors", i2c::Config::at(0x48).speed(400.kHz()))?;
    let outdoors = bus.attach("outdoors", i2c::Config::at(0x49).retry(patience))?;

    writeln!(out, "Two thermometers on one I2C bus, each with a driver of its own:")?;
    let mut indoors = Lm75::new(indoors, Address::from(0x48));
    let mut outdoors = Lm75::new(outdoors, Address::from(0x49));
    for _ in 0..3 {
        let inside = indoors.read_temperature().map_err(debug)?;
        let outside = outdoors.read_temperature().map_err(debug)?;
        writeln!(out, "  indoors {inside} C, outdoors {outside} C")?;
    }

    writeln!(out, "What cannot be right is refused before anything is sent:")?;
    let refused = bus.attach("cellar", i2c::Config::at(0x49)).err().ok_or("it was attached")?;
    writeln!(out, "  a third driver at 0x49: {refused}")?;
    let refused = bus.attach("cellar", i2c::Config::at(0x94)).err().ok_or("it was attached")?;
    writeln!(out, "  the address with its direction bit, 0x94: {refused}")?;
    let fixed = i2c::Config::at(0x4A).speed(100.kHz()).fixed();
    let refused = bus.attach("cellar", fixed).err().ok_or("it was attached")?;
    writeln!(out, "  a chip that no traffic may be too fast for: {refused}")?;
    let mut lost = Lm75::new(bus.device("outdoors")?, Address::from(0x4F));
    let error = lost.read_temperature().err().ok_or("it was read")?;
    writeln!(out, "  a driver that was given the wrong address: {error:?}")?;

    writeln!(out, "The bus has counted (outdoors was being plugged in at first):")?;
    bus.info().try_for_each(|device| writeln!(out, "  {device}"))?;
    Ok(())
}

/// One SPI bus, whose chips want different modes of the clock.
fn flash_and_display(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let (spi, board) = SpiHal::new();
    let usual = Settings { mode: MODE_0, frequency: 8.MHz() };
    let bus = spi::Bus::new(spi).with_delay(Delay).tuned(usual, |spi, settings| {
        spi.set_mode(settings.mode);
        Ok::<(), Infallible>(())
    });
    let flash = spi::Config::new(board.flash_select).settings(MODE_0, 8.MHz());
    let display = spi::Config::new(board.display_select).settings(MODE_3, 1.MHz());
    let flash = bus.attach("flash", flash).map_err(AttachError::from)?;
    let mut display = bus.attach("display", display).map_err(AttachError::from)?;

    writeln!(out, "A flash chip and a display on one SPI bus:")?;
    let mut flash = W25q32jv::new(flash, Tied, Tied).map_err(debug)?;
    flash.erase_sector(1).map_err(debug)?;
    flash.write_blocking(0x1000, b"21.5 C indoors").map_err(debug)?;
    display.write(b"saved")?;
    let mut kept = [0; 14];
    flash.read(0x1000, &mut kept).map_err(debug)?;
    display.write(b", checked")?;
    writeln!(out, "  the flash keeps {:?}", String::from_utf8_lossy(&kept))?;
    writeln!(out, "  the display shows {:?}", board.display.borrow())?;

    writeln!(out, "The bus has counted:")?;
    bus.info().try_for_each(|device| writeln!(out, "  {device}"))?;
    Ok(())
}

/// The drivers' errors are no `std::error::Error`.
fn debug(error: impl core::fmt::Debug) -> String {
    format!("{error:?}")
}
