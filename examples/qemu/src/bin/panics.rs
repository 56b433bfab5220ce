//! A program that fails, to see that a failure is seen.

#![no_std]
#![no_main]

#[port::entry]
fn main() -> ! {
    port::start(|| ());
    panic!("as it should");
}
