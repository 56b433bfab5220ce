//! The second core triggers events into the first core's inbox.
//!
//! The first core has no timer running: it sleeps until an event comes, and an interrupt of the
//! other core is none of its own. So the inbox has a wake hook, which sets off the first core's
//! alarm. The second core triggers again a little later after each answer, and thus at every moment
//! of a pass and of going to sleep; an answer that does not come ends the program.

#![no_std]
#![no_main]

use core::fmt::Write;
use core::sync::atomic::{AtomicU32, Ordering};

use embedded_hal::digital::StatefulOutputPin;
use ensue::{App, Cx, Ended, Inbox, ScheduleError, Task, Work};
use pico::{Led, Pico, SecondCore};
use rp2040_hal::arch;
use rp2040_hal::multicore::{Multicore, Stack};

const ROUNDS: u32 = 4_000;

/// How long the second core waits for an answer, in microseconds.
const PATIENCE: u32 = 1_000;

ensue::events! {
    enum Signal {
        /// From the second core: a measurement, whose number comes with it.
        Measured,
        /// From the second core: a round has begun.
        Round,
        /// From the second core: that was all.
        Done,
    }
}

static INBOX: Inbox<Signal, u32, 4, fn()> = Inbox::new().wake_with(pico::wake);
static STACK: Stack<512> = Stack::new();
/// Written by the first core: how many rounds it has answered.
static ANSWERED: AtomicU32 = AtomicU32::new(0);
/// Written by the second core: how long it has waited for an answer at most, in microseconds.
static WORST: AtomicU32 = AtomicU32::new(0);

struct Listener {
    led: Led,
    rounds: u32,
}

impl App for Listener {
    type Event = Signal;
    type Params = u32;
    type Outcome = Result<(), ScheduleError>;
}

fn begin(_: &mut Listener, cx: &mut Cx<Listener>) -> Result<(), ScheduleError> {
    cx.schedule(Task::on(Signal::Measured, measured).again())?;
    cx.schedule(Task::on(Signal::Round, round).again())?;
    cx.on(Signal::Done, done)?;
    Ok(())
}

fn round(listener: &mut Listener, _: &mut Cx<Listener>) -> Result<(), ScheduleError> {
    listener.rounds += 1;
    _ = listener.led.toggle(); // it cannot fail
    ANSWERED.store(listener.rounds, Ordering::Release);
    Ok(())
}

fn measured(listener: &mut Listener, cx: &mut Cx<Listener>) -> Result<(), ScheduleError> {
    listener.rounds += 1;
    assert!(*cx.params() == listener.rounds, "{} came as {}", listener.rounds, cx.params());
    ANSWERED.store(listener.rounds, Ordering::Release);
    Ok(())
}

fn done(_: &mut Listener, cx: &mut Cx<Listener>) -> Result<(), ScheduleError> {
    cx.stop();
    Ok(())
}

/// What the second core does.
fn measure(counter: rp2040_hal::Timer) {
    for number in 1..=ROUNDS {
        if number % 2 == 0 {
            INBOX.trigger_event_with(Signal::Measured, number).expect("the last one was answered");
        } else {
            INBOX.trigger_event(Signal::Round);
        }
        let begun = counter.get_counter_low();
        while ANSWERED.load(Ordering::Acquire) != number {
            let waited = counter.get_counter_low().wrapping_sub(begun);
            WORST.store(WORST.load(Ordering::Relaxed).max(waited), Ordering::Relaxed);
            assert!(waited < PATIENCE, "no answer to {number}");
        }
        arch::delay(number);
    }
    INBOX.trigger_event(Signal::Done);
}

#[pico::entry]
fn main() -> ! {
    let Pico { clock, counter, led, mut serial_out, second_core, .. } = pico::start();
    let SecondCore { mut power, mut private, mut queue } = second_core;
    let mut work = Work::<Listener, _, 4>::new(&clock).listen(&INBOX);
    work.do_now(begin).expect("an empty table has a place");
    let mut listener = Listener { led, rounds: 0 };
    // What comes before anybody listens reaches nobody.
    _ = work.poll(&mut listener);

    let stack = STACK.take().expect("it is taken once");
    let mut cores = Multicore::new(&mut power, &mut private, &mut queue);
    let [_, second] = cores.cores() else { panic!("there are two") };
    second.spawn(stack, move || measure(counter)).expect("it starts");

    let ended = work.start(&mut listener);
    let worst = WORST.load(Ordering::Relaxed);
    _ = writeln!(
        serial_out,
        "{} of {ROUNDS} answered, each within {} us; slept {} times; {} refused",
        listener.rounds,
        worst + 1,
        clock.wake_ups(),
        INBOX.refused()
    );
    let went_well = ended == Ended::Stopped && listener.rounds == ROUNDS && INBOX.refused() == 0;
    pico::exit(if went_well { 0 } else { 1 })
}
