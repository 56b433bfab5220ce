//! One bus, several drivers: two thermometers on I2C, a flash chip and a display on SPI.
//!
//! `cargo run --example bus_shared --features bus`

mod chips;
mod story;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    let told = story::tell(&mut text);
    print!("{text}");
    told
}
