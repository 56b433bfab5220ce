//! The clocks: counters of each width made wide, and simulated time.

use core::hint::black_box;

use embedded_hal::delay::DelayNs;
use ensue::clock::{Counter, Delay, Extended, Interrupt, Virtual};
use ensue::{Clock, Duration, Instant, Sleep};

use crate::{seen, unknown};

/// A counter that reads whatever it likes.
struct Narrow<const HZ: u32, const TURN: u64>;

impl<const HZ: u32, const TURN: u64> Counter for Narrow<HZ, TURN> {
    const HZ: u32 = HZ;
    const TURN: u64 = TURN;

    fn count(&self) -> u32 {
        unknown()
    }

    fn has_wrapped(&self) -> bool {
        black_box(false)
    }
}

static SIXTEEN: Extended<Narrow<32_768, { 1 << 16 }>> = Extended::new(Narrow);
static TWENTY_FOUR: Extended<Narrow<12_500_000, 12_500_000>> = Extended::new(Narrow);
static THIRTY_TWO: Extended<Narrow<1_000_000, { 1 << 32 }>> = Extended::new(Narrow);

pub fn call() {
    SIXTEEN.on_wrap();
    TWENTY_FOUR.on_wrap();
    THIRTY_TWO.on_wrap();
    drive(&SIXTEEN);
    drive(&TWENTY_FOUR);
    drive(&THIRTY_TWO);
    seen(SIXTEEN.counter().count());

    let delay = || Duration::from_ticks(unknown());
    let run = |clock: &Virtual<'_>| clock.advance(delay());
    let script = [Interrupt { at: delay(), run: &run }, Interrupt { at: delay(), run: &run }];
    let clock = Virtual::with_script(black_box(&script)).until(delay());
    drive(&clock);
    clock.advance(delay());
    clock.set_until(delay());
    clock.set(delay());
    drive(&Virtual::new());

    let mut delay = Delay::new(&SIXTEEN);
    delay.delay_ns(unknown::<u32>());
    delay.delay_us(unknown());
    delay.delay_ms(unknown());
}

fn drive(clock: &impl Clock) {
    seen(clock.now());
    let until = black_box(Some(Instant::from_ticks(unknown())));
    clock.wait(&Sleep::new(until, None));
}
