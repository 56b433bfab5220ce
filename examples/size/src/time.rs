//! The time base.

use ensue::{Clock, Duration, Instant, Sleep, time};

use crate::{seen, unknown};

pub struct Counter;

impl Clock for Counter {
    fn now(&self) -> Instant {
        Instant::from_ticks(unknown())
    }
}

pub fn call() {
    let (instant, delay) = (Instant::from_ticks(unknown()), Duration::from_ticks(unknown()));
    seen(time::later(instant, delay));
    seen(time::since(instant, Counter.now()));

    let sleep = Sleep::new(Some(instant), None);
    seen((sleep.until(), sleep.is_over(), sleep.has_ended()));
    sleep.end();
    Clock::wait(&&Counter, &sleep);
}
