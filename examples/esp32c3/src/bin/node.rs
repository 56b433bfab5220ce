//! The main job of the crate as firmware: sensors, a button, an alarm, a log and a console.
//!
//! What it does is in `app`, which `examples/node` runs on a computer. All that the chip brings to
//! it stands here: the interrupts of the serial port and of the button leave something and say so,
//! the timer is the clock, and the core sleeps whenever nothing is due.

#![no_std]
#![no_main]

#[path = "../../../node/app/mod.rs"]
mod app;
#[path = "../../../node/simulated.rs"]
mod simulated;

use app::{Inbox, Node, Signal, TASKS, Typed};
use ensue::{Ended, Work};
use port::{Console, println};
use simulated::Simulated;

static TYPED: Typed = Typed::new();
static INBOX: Inbox = Inbox::new();

/// The serial port's interrupt.
fn typed() {
    while let Some(byte) = port::read() {
        TYPED.push(byte);
    }
    INBOX.trigger_event(Signal::Typed);
}

#[port::entry]
fn main() -> ! {
    let clock = port::start(typed);
    port::on_press(|| INBOX.trigger_event(Signal::Button));
    let mut work = Work::<Node, _, TASKS>::new(&clock).listen(&INBOX);
    work.do_now(app::begin).expect("an empty table has a place");

    let mut console = Console;
    let mut sensors = Simulated::default();
    let mut node = Node::new(&mut sensors, &mut console, &TYPED);
    // A serial line shows nothing that is typed.
    node.echo = true;
    let ended = work.start(&mut node);

    println!("slept {} times, {} bytes lost on the way", clock.wake_ups(), port::lost());
    port::exit(if ended == Ended::Stopped { 0 } else { 1 })
}
