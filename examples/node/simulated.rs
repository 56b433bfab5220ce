//! Thermometers that are not there: temperatures that are the same every time.
//!
//! Indoors it goes up and down between 16 and 30 degrees in twelve minutes, with a ripple on it so
//! that it crosses each threshold more than once; outdoors, between -4 and 14 in forty. Of every 250
//! times that a sensor is asked, it does not answer one, the 25th.

use core::fmt;

use ensue::Instant;

use crate::app::{Celsius, NoAnswer, Sensors};

/// Two of them.
#[derive(Default)]
pub(crate) struct Simulated {
    indoors: Chip,
    outdoors: Chip,
}

/// How often it was asked, and how often it said nothing.
#[derive(Default)]
struct Chip {
    asked: u32,
    silent: u32,
}

impl Sensors for Simulated {
    fn indoors(&mut self, now: Instant) -> Result<Celsius, NoAnswer> {
        self.indoors.ask()?;
        // It starts on the way up, not far from being too warm.
        let seconds = seconds(now, 720) + 255;
        let wave = triangle(seconds, 720) * 7 / 18; // 0..=140
        let ripple = triangle(seconds, 10); // 0..=5
        Ok(Celsius::tenths((158 + wave + ripple) as i16))
    }

    fn outdoors(&mut self, now: Instant) -> Result<Celsius, NoAnswer> {
        self.outdoors.ask()?;
        let wave = triangle(seconds(now, 2_400), 2_400) * 3 / 20; // 0..=180
        Ok(Celsius::tenths(wave as i16 - 40))
    }

    fn tell(&self, line: &mut dyn FnMut(fmt::Arguments<'_>) -> fmt::Result) -> fmt::Result {
        for (name, Chip { asked, silent }) in
            [("indoors", &self.indoors), ("outdoors", &self.outdoors)]
        {
            line(format_args!(
                "{name}, simulated: asked {asked} times, {silent} without an answer"
            ))?;
        }
        Ok(())
    }
}

impl Chip {
    fn ask(&mut self) -> Result<(), NoAnswer> {
        self.asked += 1;
        if self.asked % 250 == 25 {
            self.silent += 1;
            return Err(NoAnswer);
        }
        Ok(())
    }
}

/// Seconds since the start, modulo a period.
fn seconds(now: Instant, period: u64) -> u16 {
    (now.as_ticks() / 1_000_000 % period) as u16
}

/// Up from 0 to half the period, and down again.
fn triangle(seconds: u16, period: u16) -> u16 {
    let phase = seconds % period;
    phase.min(period - phase)
}
