//! Typed bytes come by interrupt and end a sleep: each line comes back.

#![no_std]
#![no_main]

use ensue::{Clock, Sleep};
use heapless::Vec;
use port::{Timer, println};
use portable_atomic::{AtomicBool, Ordering};

/// Set by the serial port's interrupt.
static TYPED: AtomicBool = AtomicBool::new(false);

#[port::entry]
fn main() -> ! {
    let clock = port::start(|| TYPED.store(true, Ordering::Release));
    println!("hello from {}", port::NAME);
    println!("type a line; an empty one ends");

    let mut line = Vec::<u8, 128>::new();
    loop {
        match port::read() {
            Some(b'\n' | b'\r') if line.is_empty() => break,
            Some(b'\n' | b'\r') => {
                println!("you typed: {}", str::from_utf8(&line).unwrap_or("no text"));
                line.clear();
            }
            Some(byte) => _ = line.push(byte),
            None => sleep_until_typed(&clock),
        }
    }
    println!("{} bytes lost", port::lost());
    port::exit(0)
}

fn sleep_until_typed(clock: &Timer) {
    while !TYPED.load(Ordering::Acquire) {
        clock.wait(&Sleep::new(None, Some(&TYPED)));
    }
    // Cleared before the bytes are read: one that comes from here on sets it again.
    TYPED.store(false, Ordering::Release);
}
