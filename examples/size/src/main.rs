//! Calls the whole library, and links only if none of it can panic.
//!
//! The panic handler calls a function that does not exist. The optimiser removes what is never
//! reached; a panic that is left over anywhere asks the linker for that function, in vain.
//!
//! A new part of the library gets a file beside this one and a line in [`call_all`]. Its arguments
//! come from [`unknown`], so that the optimiser cannot know them, and its results go to [`seen`].

#![no_std]
#![no_main]

mod bus;
mod clocks;
mod control;
mod patterns;
mod retained;
mod ring;
mod split;
mod text;
mod time;
mod work;

use core::hint::black_box;
use core::panic::PanicInfo;

// Its critical section, which the linker looks for by name.
use cortex_m as _;

/// Everything that must not panic.
fn call_all() {
    bus::call();
    clocks::call();
    patterns::call();
    retained::call();
    ring::call();
    split::call();
    time::call();
    work::call();
    if cfg!(feature = "control") {
        control::call();
    }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    loop {
        call_all();
    }
}

/// A value that the optimiser knows nothing of.
fn unknown<T: Copy + From<u8>>() -> T {
    black_box(T::from(black_box(1)))
}

/// Bytes of which the optimiser knows neither how many there are nor what they are.
fn some_bytes() -> &'static [u8] {
    static BYTES: [u8; 300] = [7; 300];
    black_box(&BYTES[..]).get(some_len()..).unwrap_or_default()
}

/// Any length, the largest included.
fn some_len() -> usize {
    black_box(1)
}

/// A result that the optimiser has to compute.
fn seen<T>(result: T) {
    black_box(result);
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn the_library_can_panic() -> !;
    }
    // SAFETY: it is never called, since this program does not link when it is reachable.
    unsafe { the_library_can_panic() }
}
