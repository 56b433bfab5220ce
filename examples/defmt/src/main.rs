//! What the crate logs by itself, and how its types look in a log.
//!
//! Time is simulated, so the log is the same every time; `expected.txt` has it. It leaves by
//! semihosting, in defmt's encoding.

#![no_std]
#![no_main]

mod types;

use defmt_semihosting as _;
use ensue::clock::Virtual;
use ensue::{App, Cx, Ended, ExtU64, Fault, Inbox, Rejected, ScheduleError, Task, Work};

ensue::events! {
    /// Events are the program's own, and so is the wish to log them.
    #[derive(defmt::Format)]
    pub(crate) enum Signal { Button, Sampled }
}

/// Room for one event with params at a time.
static INBOX: Inbox<Signal, i16, 1> = Inbox::new();

/// A sensor that answers every other time.
struct Node<'a> {
    clock: &'a Virtual<'a>,
    readings: u32,
}

#[derive(defmt::Format)]
struct NoAnswer {
    after: u32,
}

impl App for Node<'_> {
    type Event = Signal;
    type Params = i16;
    type Outcome = Result<(), NoAnswer>;

    /// The crate has logged that there is a fault. What it is, only the app can say.
    fn on_fault(&mut self, fault: &Fault<'_, Self>, cx: &mut Cx<'_, Self>) {
        defmt::info!("on_fault in {} at {}: {}", cx, cx.now(), fault);
    }
}

#[port::entry]
fn main() -> ! {
    types::log();
    let ended = story();
    defmt::info!("{}", ended);
    port::exit(if ended == Ok(Ended::ClockEnded) { 0 } else { 1 })
}

/// A task that fails, one that is late, and an interrupt that sends more than there is room for.
fn story() -> Result<Ended, ScheduleError> {
    let clock = Virtual::new().until(500.millis());
    let mut work = Work::<Node, _, 4>::new(&clock).listen(&INBOX);
    work.schedule(Task::repeat(100.millis(), sample).named("sensor"))?;
    work.at(210.millis(), hold_up)?;
    let rejected: Option<Rejected<Node>> =
        work.schedule(Task::repeat(0.secs(), sample).named("never")).err();
    defmt::info!("{}", rejected);
    if let Some(Rejected { task, .. }) = rejected {
        defmt::info!("{}", task);
    }

    for celsius in [21, 22] {
        defmt::info!("sent: {}", INBOX.trigger_event_with(Signal::Sampled, celsius));
    }
    defmt::info!("{}, {}", INBOX, work);
    work.tasks().for_each(|task| defmt::info!("{}", task));
    Ok(work.start(&mut Node { clock: &clock, readings: 0 }))
}

fn sample(node: &mut Node, _: &mut Cx<Node>) -> Result<(), NoAnswer> {
    node.readings += 1;
    if node.readings.is_multiple_of(2) { Err(NoAnswer { after: node.readings }) } else { Ok(()) }
}

/// Two deadlines of the sensor pass while this runs, at 300 and at 400 ms: one has no run.
fn hold_up(node: &mut Node, cx: &mut Cx<Node>) -> Result<(), NoAnswer> {
    node.clock.advance(260.millis());
    defmt::info!("{} is {} late, by {}", cx.id(), cx.late_by(), cx.cause());
    Ok(())
}
