//! The clock: a sleep ends by its alarm, and one that has no reason does not begin.
//!
//! Wake-ups are judged to the microsecond and hours are slept, so this is for the emulator.

#![no_std]
#![no_main]

use core::fmt::Write;
use core::sync::atomic::{AtomicBool, Ordering};

use ensue::{App, Clock, Cx, Duration, Ended, ExtU64, Sleep, Work, time};
use pico::{LONGEST_SLEEP, Pico, Timer};
use rp2040_hal::arch;
use rp2040_hal::pac::{self, interrupt};

#[pico::entry]
fn main() -> ! {
    let Pico { clock, mut serial_out, .. } = pico::start();
    // The output cannot fail.
    let mut say = |what: &str| _ = writeln!(serial_out, "{what}");

    time_passes(&clock);
    say("time passes");
    for delay in [50.micros(), 20.millis(), 10.secs(), 1.hours(), 10.hours()] {
        a_sleep_ends_by_its_alarm(&clock, delay);
    }
    say("a sleep ends by its alarm, and a long one takes as many as it must");
    a_deadline_that_is_past_is_not_waited_for(&clock);
    say("a deadline that is past is not waited for");
    an_arrival_ends_a_sleep(&clock);
    say("an arrival ends a sleep");
    what_comes_before_a_sleep_ends_it(&clock);
    say("what comes before a sleep ends it");

    let (asleep, wake_ups) = a_task_every_ten_seconds(&clock);
    _ = writeln!(
        serial_out,
        "a task every 10 s: {wake_ups} wake-ups in {} s, {} in all",
        asleep.as_secs(),
        clock.wake_ups()
    );
    pico::exit(0)
}

fn time_passes(clock: &Timer) {
    let begun = clock.now();
    let mut before = begun;
    while time::since(before, begun) < Duration::from_millis(1) {
        let now = clock.now();
        assert!(now >= before, "time went back from {before} to {now}");
        before = now;
    }
}

/// One wake-up is enough, or as many as the alarm's reach makes necessary.
fn a_sleep_ends_by_its_alarm(clock: &Timer, delay: Duration) {
    let until = time::later(clock.now(), delay);
    let before = clock.wake_ups();
    while clock.now() < until {
        clock.wait(&Sleep::new(Some(until), None));
    }
    let late = time::since(clock.now(), until);
    let wake_ups = u64::from(clock.wake_ups() - before);

    assert!(late < Duration::from_micros(10), "woke {late} late from {delay}");
    let enough = delay.as_ticks().div_ceil(LONGEST_SLEEP.as_ticks());
    assert!(wake_ups == enough, "{wake_ups} wake-ups in {delay} where it takes {enough}");
}

/// Armed at every moment around the deadline: an alarm that is missed comes 72 minutes later.
fn a_deadline_that_is_past_is_not_waited_for(clock: &Timer) {
    for ahead in 0..20 {
        for cycles in 0..130 {
            let until = time::later(clock.now(), Duration::from_micros(ahead));
            arch::delay(cycles);
            clock.wait(&Sleep::new(Some(until), None));
            let late = time::since(clock.now(), until);
            assert!(late < Duration::from_micros(20), "woke {late} after a deadline {ahead} ahead");
        }
    }
    let before = clock.wake_ups();
    clock.wait(&Sleep::new(Some(ensue::Instant::from_ticks(0)), None));
    assert!(clock.wake_ups() == before, "it slept for a deadline that was long past");
}

fn an_arrival_ends_a_sleep(clock: &Timer) {
    let arrived = AtomicBool::new(true);
    let before = (clock.now(), clock.wake_ups());
    clock.wait(&Sleep::new(None, Some(&arrived)));
    clock.wait(&Sleep::new(Some(time::later(before.0, 10.secs())), Some(&arrived)));
    let asleep = time::since(clock.now(), before.0);
    assert!(asleep < Duration::from_millis(1), "slept {asleep} all the same");
    assert!(clock.wake_ups() == before.1, "it slept");
}

static ARRIVED: AtomicBool = AtomicBool::new(false);

/// An interrupt that no device has, raised by software.
#[interrupt]
fn SW0_IRQ() {
    ARRIVED.store(true, Ordering::Release);
}

/// An interrupt that comes after the last look is pending and masked: it ends the sleep, and its
/// handler runs after it.
fn what_comes_before_a_sleep_ends_it(clock: &Timer) {
    // SAFETY: no code relies on this interrupt being masked; its handler is above.
    unsafe { pac::NVIC::unmask(pac::Interrupt::SW0_IRQ) };
    let interrupts: [fn(); 2] = [pico::wake, || pac::NVIC::pend(pac::Interrupt::SW0_IRQ)];
    for raise in interrupts {
        let (begun, before) = (clock.now(), clock.wake_ups());
        ARRIVED.store(false, Ordering::Release);
        arch::interrupt_free(|| {
            raise();
            let sleep = Sleep::new(Some(time::later(begun, 10.secs())), Some(&ARRIVED));
            clock.wait(&sleep);
            assert!(!sleep.is_over(), "the handler ran inside the mask");
        });
        let asleep = time::since(clock.now(), begun);
        assert!(asleep < Duration::from_millis(1), "slept {asleep} through an interrupt");
        assert!(clock.wake_ups() == before + 1, "it did not come to a sleep");
    }
    assert!(ARRIVED.load(Ordering::Acquire), "the interrupt never came");
}

struct Counter(u32);

impl App for Counter {
    type Event = ();
    type Params = ();
    type Outcome = ();
}

fn count(counter: &mut Counter, cx: &mut Cx<Counter>) {
    counter.0 += 1;
    if counter.0 > 60 {
        cx.stop();
    }
}

/// How long it ran, and how often it woke.
fn a_task_every_ten_seconds(clock: &Timer) -> (Duration, u32) {
    let (begun, before) = (clock.now(), clock.wake_ups());
    let mut work = Work::<Counter, _, 1>::new(clock);
    work.repeat(10.secs(), count).expect("an empty table has a place");
    let ended = work.start(&mut Counter(0));
    assert!(ended == Ended::Stopped, "it ended by itself: {ended:?}");
    (time::since(clock.now(), begun), clock.wake_ups() - before)
}
