//! Events, timers and messages for microcontrollers.
#![no_std]
#![deny(unsafe_code)]

#[cfg(feature = "std")]
extern crate std;

pub use fugit::{self, ExtU64};

pub mod clock;
pub mod ring;
pub mod time;

pub use ring::{Message, PutError, Ring, TooShort, TooSmall};
pub use time::{Clock, Duration, Instant, Sleep};
