//! The main job of the crate as firmware: sensors, a button, an alarm, a log and a console.
//!
//! ```console
//! $ cargo run --bin node      in this folder; type commands, `quit` ends
//! ```
//!
//! What it does is in `app`, which `examples/node` runs on a computer. All that the chip brings to
//! it stands here: the serial port's interrupt leaves bytes and says so, the timer is the clock,
//! and the core sleeps whenever nothing is due.

#![no_std]
#![no_main]

#[path = "../../../node/app/mod.rs"]
mod app;
#[path = "../../../node/simulated.rs"]
mod simulated;

use app::{Inbox, Node, Signal, TASKS, Typed};
use ensue::{Ended, Work};
use port::{Console, Stack, println};
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
    let stack = Stack::watch();
    let clock = port::start(typed);
    let mut work = Work::<Node, _, TASKS>::new(&clock).listen(&INBOX);
    work.do_now(app::begin).expect("an empty table has a place");

    let mut console = Console;
    let mut sensors = Simulated::default();
    let mut node = Node::new(&mut sensors, &mut console, &TYPED);
    // A serial line shows nothing that is typed.
    node.echo = true;
    let ended = work.start(&mut node);

    println!("used at most {} bytes of stack", stack.deepest());
    println!("slept {} times, {} bytes lost on the way", clock.wake_ups(), port::lost());
    port::exit(if ended == Ended::Stopped { 0 } else { 1 })
}
