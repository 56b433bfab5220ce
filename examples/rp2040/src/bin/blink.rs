//! An LED that changes every half second, and a core that sleeps in between. All of it.
//!
//! ```console
//! $ cargo run --release --bin blink
//! ```

#![no_std]
#![no_main]

use embedded_hal::digital::StatefulOutputPin;
use ensue::{App, Cx, Duration, Work};
use pico::Led;

const CHANGE: Duration = Duration::from_millis(500);

struct Blinker {
    led: Led,
}

impl App for Blinker {
    type Event = ();
    type Params = ();
    type Outcome = ();
}

fn change(blinker: &mut Blinker, _: &mut Cx<Blinker>) {
    _ = blinker.led.toggle(); // it cannot fail
}

#[pico::entry]
fn main() -> ! {
    let board = pico::start();
    let mut work = Work::<Blinker, _, 1>::new(board.clock);
    work.repeat(CHANGE, change).expect("an empty table has a place");
    let ended = work.start(&mut Blinker { led: board.led });
    panic!("it blinks for ever, and not until {ended:?}")
}
