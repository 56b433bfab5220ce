//! The library, checked on the chip itself: what it promises on a computer under simulated time
//! holds here with a hardware timer, real interrupts and a core that sleeps.
//!
//! Each check is a function. Its name is printed before it runs, so that the last name is that of
//! the one that failed; a failure is a panic, and its exit code is that of any panic.
//!
//! Times are judged to the microsecond, as `cargo xtask firmware checks` runs it: an emulator at
//! the host's pace wakes as late as the host lets it.

#![no_std]
#![no_main]

mod bus;
mod interrupts;
mod ring;
mod scheduler;
mod sleep;

use ensue::{App, Cause, Cx, Duration, Fault, Inbox, Instant, Work, time};
use heapless::Vec;
use port::{Timer, println};

ensue::events! {
    /// What can happen in a check.
    enum Signal {
        /// From the main program only.
        Button,
        /// From the more urgent of the two software interrupts.
        High,
        /// From the less urgent one.
        Low,
        /// From the alarm's interrupt.
        Alarm,
        /// From the more urgent software interrupt, without params.
        Flag,
    }
}

/// What interrupts leave their events in. Large enough that none is refused where none may be.
static INBOX: Inbox<Signal, u32, ROOM> = Inbox::new();
const ROOM: usize = 32;

/// A run may begin this much late: a wake-up, a pass and what else is due.
const ON_TIME: Duration = Duration::from_micros(200);

type Bench<C> = Work<Notes, C, 8>;
type Outcome = Result<(), &'static str>;

/// What the jobs of a check write down.
#[derive(Default)]
struct Notes {
    runs: Vec<Run, 64>,
    faults: Vec<u16, 8>,
}

/// One run, as its job saw it.
struct Run {
    label: u32,
    at: Instant,
    due: Instant,
    cause: Cause<Signal>,
    missed: u16,
    merged: u16,
}

impl App for Notes {
    type Event = Signal;
    /// The label that a job notes.
    type Params = u32;
    type Outcome = Outcome;

    fn on_fault(&mut self, fault: &Fault<'_, Self>, _: &mut Cx<'_, Self>) {
        self.faults.push(fault.count).expect("a check has few faults");
    }
}

impl Notes {
    fn labels(&self) -> Vec<u32, 64> {
        self.runs.iter().map(|run| run.label).collect()
    }

    /// The runs' deadlines, in milliseconds since the first one's.
    fn millis(&self) -> Vec<u64, 64> {
        let first = self.runs.first().map_or(Instant::from_ticks(0), |run| run.due);
        self.runs.iter().map(|run| time::since(run.due, first).as_millis()).collect()
    }

    fn were_on_time(&self) -> bool {
        self.runs.iter().all(|run| run.at >= run.due && time::since(run.at, run.due) < ON_TIME)
    }
}

/// The job of most tasks here.
fn note(notes: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
    let run = Run {
        label: *cx.params(),
        at: cx.now(),
        due: cx.scheduled_at(),
        cause: cx.cause(),
        missed: cx.missed(),
        merged: cx.merged(),
    };
    notes.runs.push(run).map_err(|_| "there is no room for more notes")
}

fn stop(_: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
    cx.stop();
    Ok(())
}

/// Keeps the core busy.
fn spin(cx: &Cx<Notes>, how_long: Duration) {
    let until = time::later(cx.now(), how_long);
    while cx.now() < until {}
}

/// A scheduler without tasks, and an inbox without events.
fn bench<C: ensue::Clock>(clock: C) -> Bench<C> {
    let mut work = Bench::new(clock).listen(&INBOX);
    work.stop();
    work
}

/// The names of functions, and the functions.
macro_rules! named {
    ($($module:ident::$check:ident),+ $(,)?) => {
        [$((stringify!($check), $module::$check as fn(&Timer))),+]
    };
}

#[port::entry]
fn main() -> ! {
    let clock = port::start(|| ());
    println!("the checks of {}", port::NAME);
    let checks = named![
        scheduler::what_is_done_now_runs_in_the_next_pass,
        scheduler::delays_are_kept,
        scheduler::a_period_does_not_drift,
        scheduler::missed_deadlines_are_skipped_made_up_for_or_shifted,
        scheduler::an_event_runs_those_that_listen,
        scheduler::an_event_is_waited_for_no_longer_than_the_timeout,
        scheduler::a_cancelled_task_does_not_run,
        scheduler::a_new_period_counts_from_the_armed_run,
        scheduler::what_is_sent_counts_from_the_next_run,
        scheduler::a_repeating_task_awaits_an_event_and_keeps_its_phase,
        scheduler::priority_goes_before_order,
        scheduler::a_full_table_gives_the_task_back,
        scheduler::a_fault_stops_nobody,
        interrupts::what_interrupts_trigger_while_jobs_run_arrives,
        interrupts::what_the_inbox_refuses_is_counted,
        sleep::a_deadline_is_met_however_near_it_is,
        sleep::no_trigger_is_slept_through,
        sleep::a_careless_port_is_found_out,
        bus::an_interrupt_finds_the_bus_free_or_busy_at_any_moment,
        ring::every_byte_is_where_it_is_documented,
        ring::it_does_what_a_queue_of_vectors_does,
    ];
    for (name, check) in checks {
        println!("{name}");
        check(&clock);
    }
    println!("{} checks passed", checks.len());
    port::exit(0)
}
