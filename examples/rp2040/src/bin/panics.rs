//! A program that goes wrong says so: a control for the tests, which must notice.

#![no_std]
#![no_main]

#[pico::entry]
fn main() -> ! {
    pico::start();
    panic!("as it should")
}
