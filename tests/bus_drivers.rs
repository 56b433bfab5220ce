//! Drivers from crates.io on devices of a shared bus: they are used as they are, and do not know.
#![cfg(feature = "bus")]

#[path = "../examples/bus_shared/chips.rs"]
mod chips;
#[path = "../examples/bus_shared/story.rs"]
mod story;

use std::convert::Infallible;

use chips::{I2cHal, Lm75Chip, SpiHal, Tied};
use embedded_hal::spi::{MODE_0, MODE_3, SpiDevice};
use ensue::bus::{AttachError, RateExtU32, i2c, spi};
use lm75::Lm75;
use w25q32jv::W25q32jv;

type Failure = Box<dyn std::error::Error>;

fn thermometer(address: u8, half_degrees: i16) -> Lm75Chip {
    Lm75Chip { address, fastest: 400_000, absent: 0, half_degrees, register: 0 }
}

#[test]
fn the_example_tells_its_story() -> Result<(), Failure> {
    let mut text = String::new();
    story::tell(&mut text)?;
    assert_eq!(text, include_str!("bus_drivers.txt"));
    Ok(())
}

#[test]
fn a_driver_for_i2c_works_on_a_device_and_on_a_session() -> Result<(), Failure> {
    let chips = vec![thermometer(0x48, 43), thermometer(0x49, 19)];
    let bus = i2c::Bus::new(I2cHal { speed: 100_000, chips });
    let mut one = Lm75::new(bus.attach("one", i2c::Config::at(0x48))?, 0x48);
    let two = bus.attach("two", i2c::Config::at(0x49))?;
    let mut session = two.session()?;
    assert!(one.read_temperature().is_err(), "the bus is in use");
    let mut driver = Lm75::new(&mut session, 0x49);
    assert_eq!(driver.read_temperature().map_err(|it| format!("{it:?}")), Ok(9.5));
    drop(session);
    assert_eq!(one.read_temperature().map_err(|it| format!("{it:?}")), Ok(21.5));
    assert_eq!(bus.device("one")?, one.destroy());
    Ok(())
}

#[test]
fn a_driver_for_spi_works_beside_a_chip_of_another_mode() -> Result<(), Failure> {
    let (hal, board) = SpiHal::new();
    let usual = spi::Settings { mode: MODE_3, frequency: 1.MHz() };
    let bus = spi::Bus::new(hal).tuned(usual, |hal, settings| {
        hal.set_mode(settings.mode);
        Ok::<(), Infallible>(())
    });
    let flash = spi::Config::new(board.flash_select).settings(MODE_0, 8.MHz());
    let flash = bus.attach("flash", flash).map_err(AttachError::from)?;
    let display = spi::Config::new(board.display_select);
    let mut display = bus.attach("display", display).map_err(AttachError::from)?;
    let mut flash = W25q32jv::new(flash, Tied, Tied).map_err(|it| format!("{it:?}"))?;
    for round in 0..3_u8 {
        display.write(&[b'a' + round])?;
        let address = u32::from(round) * 0x100 + 0xF8; // over the edge of a page
        flash.write_blocking(address, &[round; 20]).map_err(|it| format!("{it:?}"))?;
        let mut kept = [0xFF; 20];
        flash.read(address, &mut kept).map_err(|it| format!("{it:?}"))?;
        assert_eq!(kept, [round; 20]);
    }
    assert_eq!(*board.display.borrow(), "abc");
    Ok(())
}
