//! Ready-made clocks: simulated time, the host's time, and a narrow hardware counter made wide.
//!
//! - [`Virtual`]: time passes only when somebody sleeps or says so. For tests and simulations.
//! - `Std` (feature `std`): the time of the computer the program runs on.
//! - [`Extended`]: a 16-, 24- or 32-bit [`Counter`] of a chip, widened without a race.
//! - `Delay` (feature `bus`): any of them as an `embedded_hal` delay.
//!
//! A chip with a 64-bit timer needs none of them: it implements [`Clock`](crate::Clock) in a line.

#[cfg(feature = "bus")]
mod delay;
mod extended;
#[cfg(feature = "std")]
mod std;
mod r#virtual;

#[cfg(feature = "bus")]
pub use self::delay::Delay;
pub use self::extended::{Counter, Extended};
#[cfg(feature = "std")]
pub use self::std::Std;
pub use self::r#virtual::{Interrupt, Virtual};
