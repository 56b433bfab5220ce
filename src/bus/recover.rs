//! Freeing an I2C bus whose data line somebody holds low.
//!
//! A controller that is reset in the middle of a read leaves a device behind that waits to send the
//! rest of its byte. If the next bit is a zero it holds SDA low, and no controller can begin: a
//! START needs SDA high. The way out is in the I2C specification (UM10204, 3.1.16): give the device
//! the clocks it waits for, at most nine, with SDA left alone. At the ninth at the latest comes the
//! acknowledge, where a device that sends lets go. There, or at an earlier bit that is a one, a
//! STOP (SDA rises while SCL is high) tells everybody that this transfer is over.
//!
//! What this does not do is declare success: if SDA is still low after nine clocks, or SCL does not
//! rise, the result says so, and only a power cycle or a soldering iron helps.

use core::fmt;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{InputPin, OutputPin};

/// How a bus was recovered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recovered {
    /// Both lines were high: there was nothing to do, and nothing was done.
    WasFree,
    /// SDA was low and is free after this many clocks, 1 to 9; the last one was a STOP.
    After {
        /// How many clocks it took.
        clocks: u8,
    },
}

/// Why a bus could not be recovered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RecoverError<E> {
    /// SCL stays low: a device stretches the clock for ever, or the line is shorted, or has no
    /// pull-up. Clocks cannot help.
    SclStuck,
    /// SDA is still low after nine clocks.
    SdaStuck,
    /// A pin failed. Both lines may be in any state.
    Pin(E),
}

/// Half a period of the clock: 100 kHz, which every device understands.
const HALF_US: u32 = 5;
/// How long a device may stretch the clock, in half periods: 25 ms, the limit of SMBus.
const STRETCH: u32 = 25_000 / HALF_US;

/// Frees an I2C bus whose SDA line a device holds low, with at most nine clocks, the last of
/// them a STOP.
///
/// Both pins are open-drain outputs that can be read back, as `set_high` must mean "let go". The
/// controller must not own the lines meanwhile: call this before it is set up, or take it out of
/// the bus first ([`Bus::into_inner`](super::Bus::into_inner)). Bytes that the device was about to
/// send are lost, as they were already.
///
/// Errors: [`RecoverError`]. Both lines are left let go, unless a pin failed.
///
/// Cost: 0.2 ms at most, and up to 25 ms more for each clock that a device stretches.
///
/// ```
/// # use core::convert::Infallible;
/// # use embedded_hal::{delay::DelayNs, digital::*};
/// # struct Pin;
/// # impl ErrorType for Pin { type Error = Infallible; }
/// # impl InputPin for Pin {
/// #     fn is_high(&mut self) -> Result<bool, Infallible> { Ok(true) }
/// #     fn is_low(&mut self) -> Result<bool, Infallible> { Ok(false) }
/// # }
/// # impl OutputPin for Pin {
/// #     fn set_high(&mut self) -> Result<(), Infallible> { Ok(()) }
/// #     fn set_low(&mut self) -> Result<(), Infallible> { Ok(()) }
/// # }
/// # struct Delay;
/// # impl DelayNs for Delay { fn delay_ns(&mut self, _: u32) {} }
/// # let (mut scl, mut sda, mut delay) = (Pin, Pin, Delay);
/// use ensue::bus::{Recovered, recover_bus};
///
/// match recover_bus(&mut scl, &mut sda, &mut delay) {
///     Ok(Recovered::WasFree) => {}
///     Ok(Recovered::After { clocks }) => println!("I2C freed after {clocks} clocks"),
///     Err(why) => println!("I2C: {why}"),
/// }
/// ```
pub fn recover_bus<E>(
    scl: &mut (impl OutputPin<Error = E> + InputPin),
    sda: &mut (impl OutputPin<Error = E> + InputPin),
    delay: &mut impl DelayNs,
) -> Result<Recovered, RecoverError<E>> {
    sda.set_high()?;
    rise(scl, delay)?;
    if sda.is_high()? {
        return Ok(Recovered::WasFree);
    }
    for clocks in 1..=9 {
        scl.set_low()?;
        delay.delay_us(HALF_US);
        // Here, while SCL is low, the device puts its next bit on the line, so what SDA shows now
        // holds for the whole clock: if it is free, this clock is the one for the STOP. A look
        // while SCL is high would come too late, with the next bit in the way.
        let free = sda.is_high()?;
        if free {
            sda.set_low()?;
            delay.delay_us(HALF_US);
        }
        rise(scl, delay)?;
        if free {
            sda.set_high()?;
            delay.delay_us(HALF_US);
            if sda.is_high()? {
                return Ok(Recovered::After { clocks });
            }
        }
    }
    Err(RecoverError::SdaStuck)
}

/// Lets go of SCL and waits until it is high, as a device may stretch it.
fn rise<P: OutputPin + InputPin>(
    scl: &mut P,
    delay: &mut impl DelayNs,
) -> Result<(), RecoverError<P::Error>> {
    scl.set_high()?;
    for _ in 0..STRETCH {
        delay.delay_us(HALF_US);
        if scl.is_high()? {
            return Ok(());
        }
    }
    Err(RecoverError::SclStuck)
}

impl<E> From<E> for RecoverError<E> {
    fn from(error: E) -> Self {
        Self::Pin(error)
    }
}

impl<E: fmt::Debug> fmt::Display for RecoverError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SclStuck => f.write_str("SCL stays low"),
            Self::SdaStuck => f.write_str("SDA stays low"),
            Self::Pin(error) => write!(f, "a pin failed: {error:?}"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for RecoverError<E> {}
