//! An hour that passes at once: the application under simulated time, with a script for a user.
//!
//! The same every time, to the byte, so a test compares what it prints.

use std::fmt;

use ensue::clock::{Interrupt, Virtual};
use ensue::{Duration, Ended, ExtU64, ScheduleError, Work};

use crate::app::{self, Inbox, Node, Signal, TASKS, Typed};
use crate::simulated::Simulated;

/// When, and what is typed then.
pub(crate) type Script<'a> = [(Duration, &'a str)];

pub(crate) const HOUR: [(Duration, &str); 22] = [
    (at(0, 5), "help\n"),
    (at(0, 10), "press\n"),
    (at(0, 15), "status\n"),
    (at(1, 20), "press\n"),
    (at(1, 30), "status\n"),
    (at(20, 0), "period 5000\n"),
    (at(21, 0), "log\n"),
    (at(26, 0), "period 0\nperiod\nperiod soon\n"),
    (at(30, 0), "log all\n"),
    (at(30, 5), "pull 1305\n"),
    (at(30, 10), "pull 1305\npull 7\npull\n"),
    (at(30, 15), "log all\nstatus\n"),
    (at(39, 0), "cancel alarm\ncancel hope\ncancel console\n"),
    (at(45, 0), "make tea\nlog me in\n"),
    (at(46, 0), "\n a line that is far too long for a command\npreff\x7f\x08ss\n"),
    (at(47, 0), "more bytes at once than the queue between interrupt and console takes\n"),
    (at(50, 0), "cancel sample\n"),
    (at(53, 0), "period 1000\n"),
    (at(54, 0), "cancel report\n"),
    (at(55, 0), "sensors\n"),
    (at(59, 0), "stat"),
    (at(59, 1), "us\nquit\n"),
];

/// In between, so that it does not fall together with the readings.
const fn at(minute: u64, second: u64) -> Duration {
    Duration::from_millis((60 * minute + second) * 1_000 + 500)
}

/// Plays a script, and tells how it ended: by `quit`, or when nothing can happen any more.
pub(crate) fn play(script: &Script<'_>, out: &mut dyn fmt::Write) -> Result<Ended, ScheduleError> {
    // An inbox is for ever. Each play has its own, so that tests can play side by side.
    let inbox: &'static Inbox = Box::leak(Box::new(Inbox::new()));
    let typed = Typed::new();

    let lines: Vec<_> = script
        .iter()
        .map(|(at, line)| {
            (*at, |_: &Virtual<'_>| {
                for byte in line.bytes() {
                    typed.push(byte);
                }
                inbox.trigger_event(Signal::Typed);
            })
        })
        .collect();
    let interrupts: Vec<_> = lines.iter().map(|(at, run)| Interrupt { at: *at, run }).collect();
    let clock = Virtual::with_script(&interrupts).until(1.hours());

    let mut work = Work::<Node, _, TASKS>::new(clock).listen(inbox);
    work.do_now(app::begin)?;
    let mut sensors = Simulated::default();
    let mut node = Node::new(&mut sensors, out, &typed);
    node.echo = true;
    Ok(work.start(&mut node))
}
