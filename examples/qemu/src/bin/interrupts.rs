//! Interrupts come when they should: one inside another, and none is slept through.

#![no_std]
#![no_main]

use core::cell::RefCell;
use core::sync::atomic::{AtomicBool, Ordering};

use critical_section::Mutex;
use ensue::{Clock, Duration, Sleep, time};
use heapless::Vec;
use port::Level::{High, Low};
use port::{Timer, interrupt, on_interrupt, println};

/// What happened, in its order.
static HAPPENED: Mutex<RefCell<Vec<&str, 16>>> = Mutex::new(RefCell::new(Vec::new()));

#[port::entry]
fn main() -> ! {
    let clock = port::start(|| ());
    println!("the interrupts of {}", port::NAME);

    on_interrupt(Low, || happens("low"));
    on_interrupt(High, || happens("high"));
    happens("before");
    interrupt(Low);
    happens("between");
    interrupt(High);
    happens("after");
    expect(&["before", "low", "between", "high", "after"]);
    println!("an interrupt comes at once");

    on_interrupt(Low, || {
        happens("low begins");
        interrupt(High);
        happens("low ends");
    });
    interrupt(Low);
    expect(&["low begins", "high", "low ends"]);
    println!("a high one comes while a low one runs");

    on_interrupt(Low, || happens("low"));
    on_interrupt(High, || {
        happens("high begins");
        interrupt(Low);
        happens("high ends");
    });
    interrupt(High);
    expect(&["high begins", "high ends", "low"]);
    println!("a low one waits for a high one");

    on_interrupt(High, || happens("high"));
    critical_section::with(|_| {
        interrupt(Low);
        interrupt(High);
        happens("unmasked");
    });
    expect(&["unmasked", "high", "low"]);
    println!("masked ones wait");

    one_that_comes_before_a_sleep_ends_it(&clock);
    port::exit(0)
}

/// The clock sleeps with interrupts masked, after it has looked whether there is a reason not to.
/// An interrupt that is raised under the mask has not been seen by that look: it is pending.
fn one_that_comes_before_a_sleep_ends_it(clock: &Timer) {
    static ARRIVED: AtomicBool = AtomicBool::new(false);
    for level in [Low, High] {
        on_interrupt(level, || ARRIVED.store(true, Ordering::Release));
        ARRIVED.store(false, Ordering::Release);
        let before = clock.now();
        critical_section::with(|_| {
            interrupt(level);
            let sleep =
                Sleep::new(Some(time::later(before, Duration::from_secs(1))), Some(&ARRIVED));
            assert!(!sleep.is_over(), "the interrupt was not masked");
            clock.wait(&sleep);
        });
        let asleep = time::since(clock.now(), before);
        assert!(asleep < Duration::from_millis(1), "slept {asleep} through an interrupt");
        assert!(ARRIVED.load(Ordering::Acquire), "the interrupt never came");
    }
    println!("one that comes before a sleep ends it");
}

fn happens(what: &'static str) {
    critical_section::with(|cs| HAPPENED.borrow_ref_mut(cs).push(what)).expect("there is room");
}

#[track_caller]
fn expect(expected: &[&str]) {
    let happened = critical_section::with(|cs| core::mem::take(&mut *HAPPENED.borrow_ref_mut(cs)));
    assert!(happened == expected, "expected {expected:?}, but {happened:?} happened");
}
