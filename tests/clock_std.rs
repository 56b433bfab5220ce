//! The host's clock: real threads, real time, and no wake that is slept through.
#![cfg(feature = "std")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration as HostDuration;

use ensue::clock::Std;
use ensue::{Clock, Duration, ExtU64, Instant, Sleep, time};

const NEVER: Instant = Instant::from_ticks(u64::MAX);

fn in_(clock: &Std, delay: Duration) -> Instant {
    time::later(clock.now(), delay)
}

#[test]
fn a_sleep_lasts_until_its_deadline() {
    let clock = Std::new();
    let deadline = in_(&clock, 20.millis());
    clock.wait(&Sleep::new(Some(deadline), None));
    assert!(clock.now() >= deadline);
}

#[test]
fn a_deadline_that_has_passed_is_not_waited_for() {
    let clock = Std::new();
    thread::sleep(HostDuration::from_millis(1));
    for ticks in [0, clock.now().as_ticks()] {
        clock.wait(&Sleep::new(Some(Instant::from_ticks(ticks)), None));
    }
}

#[test]
fn a_sleep_that_is_over_is_not_begun() {
    let arrived = AtomicBool::new(true);
    let clock = Std::new();
    clock.wait(&Sleep::new(None, Some(&arrived)));
    clock.wait(&Sleep::new(Some(NEVER), Some(&arrived)));
}

#[test]
fn no_wake_is_slept_through_in_fifty_thousand_rounds() {
    const ROUNDS: usize = 50_000;
    static ARRIVED: AtomicBool = AtomicBool::new(false);
    static ROUND: AtomicUsize = AtomicUsize::new(0);

    let waker = thread::spawn(|| {
        for round in 0..ROUNDS {
            while ROUND.load(Ordering::Acquire) != round {
                thread::yield_now();
            }
            // Some wakes come before the test, some between test and sleep, some during the sleep.
            for _ in 0..(round % 64) * 8 {
                core::hint::spin_loop();
            }
            ARRIVED.store(true, Ordering::Release);
            Std::wake();
        }
    });

    let clock = Std::new();
    for round in 0..ROUNDS {
        // With no deadline and with the farthest one: a lost wake hangs the test.
        let until = if round % 2 == 0 { None } else { Some(NEVER) };
        clock.wait(&Sleep::new(until, Some(&ARRIVED)));
        assert!(ARRIVED.swap(false, Ordering::AcqRel), "round {round}: woken for nothing");
        ROUND.store(round + 1, Ordering::Release);
    }
    waker.join().unwrap();
}

#[test]
fn wakes_that_bring_nothing_end_no_sleep() {
    let arrived = AtomicBool::new(false);
    let clock = Std::new();
    let deadline = in_(&clock, 30.millis());
    thread::scope(|scope| {
        let sleeper = scope.spawn(|| clock.wait(&Sleep::new(Some(deadline), Some(&arrived))));
        while !sleeper.is_finished() {
            Std::wake();
            thread::yield_now();
        }
    });
    assert!(clock.now() >= deadline);
}

#[test]
fn one_wake_reaches_every_clock() {
    let arrived = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| Std::new().wait(&Sleep::new(None, Some(&arrived))));
        }
        thread::sleep(HostDuration::from_millis(5));
        arrived.store(true, Ordering::Release);
        Std::wake();
    });
}

#[test]
fn wake_fits_where_a_plain_function_is_wanted() {
    static HOOK: fn() = Std::wake;
    HOOK();
}

#[test]
fn copies_share_their_zero() {
    let clock = Std::new();
    let copy = clock;
    let (first, second, third) = (clock.now(), copy.now(), clock.now());
    assert!(first <= second && second <= third);
}
