//! The patterns: what they are given is a time, whatever it is.

use ensue::{Duration, Instant, pattern::Backoff};

use crate::{seen, unknown};

pub fn call() {
    let mut backoff = Backoff::new(duration(), duration()).give_up_after(unknown());
    for _ in 0..unknown::<u32>() {
        seen(backoff.failed(Instant::from_ticks(unknown())));
        seen(backoff.is_ready(Instant::from_ticks(unknown())));
    }
    seen(backoff.failures());
    backoff.succeeded();
}

pub fn duration() -> Duration {
    Duration::from_ticks(unknown())
}
