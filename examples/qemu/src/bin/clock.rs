//! The clock: time passes, a sleep ends by its alarm and nothing before it, and one that has no
//! reason does not begin.
//!
//! Wake-ups are judged to the microsecond, as `cargo xtask firmware clock` runs it: an emulator at
//! the host's pace (`cargo run --bin clock`) wakes as late as the host lets it, and then this fails.

#![no_std]
#![no_main]

use core::sync::atomic::AtomicBool;

use ensue::{App, Clock, Cx, Duration, Ended, ExtU64, Sleep, Task, Work, time};
use port::{LONGEST_SLEEP, Timer, println};

#[port::entry]
fn main() -> ! {
    let clock = port::start(|| ());
    println!("the clock of {}", port::NAME);

    time_passes(&clock);
    for delay in [50.micros(), 20.millis(), 10.secs()] {
        a_sleep_ends_by_its_alarm(&clock, delay);
    }
    the_core_wakes_no_more_than_its_timer_makes_it(&clock);
    an_arrival_ends_a_sleep(&clock);
    port::exit(0)
}

fn time_passes(clock: &Timer) {
    let begun = clock.now();
    let mut before = begun;
    while time::since(before, begun) < Duration::from_millis(1) {
        let now = clock.now();
        assert!(now >= before, "time went back from {before} to {now}");
        before = now;
    }
    println!("time passes");
}

/// One wake-up is enough, or as many as the timer's reach makes necessary.
fn a_sleep_ends_by_its_alarm(clock: &Timer, delay: Duration) {
    let until = time::later(clock.now(), delay);
    let before = clock.wake_ups();
    while clock.now() < until {
        clock.wait(&Sleep::new(Some(until), None));
    }
    let late = time::since(clock.now(), until);
    let wake_ups = u64::from(clock.wake_ups() - before);

    assert!(late < Duration::from_micros(30), "woke {late} late");
    let enough = delay.as_ticks().div_ceil(LONGEST_SLEEP);
    assert!(wake_ups <= enough, "{wake_ups} wake-ups where {enough} are enough");
    println!("slept {delay}");
}

struct Minute {
    runs: u32,
}

impl App for Minute {
    type Event = ();
    type Params = ();
    type Outcome = ();
}

/// One task every ten seconds, for a minute.
fn the_core_wakes_no_more_than_its_timer_makes_it(clock: &Timer) {
    const PERIOD: Duration = Duration::from_secs(10);
    const RUNS: u32 = 6;

    fn every(minute: &mut Minute, cx: &mut Cx<Minute>) {
        minute.runs += 1;
        if minute.runs == RUNS {
            cx.stop();
        }
    }
    let mut work = Work::<Minute, _, 1>::new(clock);
    let (begun, before) = (clock.now(), clock.wake_ups());
    work.schedule(Task::repeat(PERIOD, every).first_at(PERIOD)).unwrap();
    assert!(work.start(&mut Minute { runs: 0 }) == Ended::Stopped);

    let took = time::since(clock.now(), begun);
    let late = time::since(clock.now(), time::later(begun, PERIOD * RUNS));
    assert!(took >= PERIOD * RUNS && late < Duration::from_micros(200), "it took {took}");
    let wake_ups = u64::from(clock.wake_ups() - before);
    let enough = u64::from(RUNS) * PERIOD.as_ticks().div_ceil(LONGEST_SLEEP);
    assert!(wake_ups == enough, "{wake_ups} wake-ups where it takes {enough}");
    println!("a task every 10 s: {wake_ups} wake-ups in a minute");
}

fn an_arrival_ends_a_sleep(clock: &Timer) {
    let arrived = AtomicBool::new(true);
    let before = (clock.now(), clock.wake_ups());
    clock.wait(&Sleep::new(None, Some(&arrived)));
    clock.wait(&Sleep::new(Some(time::later(before.0, 10.secs())), Some(&arrived)));
    let asleep = time::since(clock.now(), before.0);
    assert!(asleep < Duration::from_millis(1), "slept {asleep} all the same");
    assert!(clock.wake_ups() == before.1, "it slept");
    println!("an arrival ended a sleep");
}
