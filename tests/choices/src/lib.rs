//! A program with an inbox, on a chip without a compare-and-swap.

#![no_std]

use ensue::{App, Clock, Cx, Inbox, ScheduleError, Task, Work};

ensue::events! {
    /// What can happen.
    pub enum Signal { Button, Sampled }
}

/// The only thing shared with interrupts.
pub static INBOX: Inbox<Signal, u32, 8> = Inbox::new();

/// The last sample.
#[derive(Debug)]
pub struct Node(pub u32);

impl App for Node {
    type Event = Signal;
    type Params = u32;
    type Outcome = ();
}

fn sampled(node: &mut Node, cx: &mut Cx<'_, Node>) {
    node.0 = *cx.params();
}

/// What an interrupt does.
pub fn interrupt(sample: u32) -> bool {
    INBOX.trigger_event(Signal::Button);
    INBOX.trigger_event_with(Signal::Sampled, sample).is_ok()
}

/// What main does.
pub fn run<C: Clock>(clock: C) -> Result<u32, ScheduleError> {
    let mut node = Node(0);
    let mut work = Work::<Node, C, 2>::new(clock).listen(&INBOX);
    work.schedule(Task::on(Signal::Sampled, sampled).again()).map_err(|rejected| rejected.reason)?;
    work.on(Signal::Button, |_, cx| cx.stop())?;
    work.start(&mut node);
    Ok(node.0)
}

/// The choice has reached its crate: without one, atomics on this chip cannot be exchanged.
#[cfg(any(feature = "esp-hal", feature = "critical-section"))]
pub fn exchange(flag: &portable_atomic::AtomicBool) -> bool {
    flag.swap(true, portable_atomic::Ordering::AcqRel)
}

/// Likewise: this is the type that the binary has chosen for what a critical section restores.
#[cfg(feature = "esp-hal")]
pub const RESTORED: critical_section::RawRestoreState = 0_u32;
/// Likewise.
#[cfg(feature = "critical-section")]
pub const RESTORED: critical_section::RawRestoreState = false;
