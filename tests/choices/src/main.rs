//! A program with an inbox on a chip without a compare-and-swap, which has chosen how its atomics and
//! critical sections are made. `cargo xtask no-std` links it once for each choice and reads the
//! code of the functions in [`INTERRUPTS`]: what an interrupt does to trigger an event or to stop
//! must be the same plain stores whatever was chosen. It is never run.

#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use ensue::{App, Clock, Cx, Inbox, Instant, ScheduleError, Task, Work};

ensue::events! {
    /// What can happen.
    enum Signal { Button, Sampled }
}

/// The only thing shared with interrupts.
static INBOX: Inbox<Signal, u32, 8> = Inbox::new();

/// Kept by the linker under their names.
static INTERRUPTS: [extern "C" fn(); 4] = [trigger, trigger_with, stop, store];

/// The first tier.
#[unsafe(no_mangle)]
extern "C" fn trigger() {
    INBOX.trigger_event(Signal::Button);
}

/// The second tier, which needs a critical section.
#[unsafe(no_mangle)]
extern "C" fn trigger_with() {
    let _ = INBOX.trigger_event_with(Signal::Sampled, 21);
}

#[unsafe(no_mangle)]
extern "C" fn stop() {
    INBOX.stop();
}

/// The control: portable-atomic's own store, which is what the choice makes of it.
#[unsafe(no_mangle)]
extern "C" fn store() {
    static FLAG: portable_atomic::AtomicBool = portable_atomic::AtomicBool::new(false);
    FLAG.store(true, portable_atomic::Ordering::Relaxed);
    black_box(&FLAG);
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    black_box(&INTERRUPTS);
    loop {
        black_box(run(Still)).unwrap_or_default();
    }
}

/// What main does.
fn run<C: Clock>(clock: C) -> Result<u32, ScheduleError> {
    let mut node = Node(0);
    let mut work = Work::<Node, C, 2>::new(clock).listen(&INBOX);
    work.schedule(Task::on(Signal::Sampled, sampled).again())
        .map_err(|rejected| rejected.reason)?;
    work.on(Signal::Button, |_, cx| cx.stop())?;
    work.start(&mut node);
    Ok(node.0)
}

/// The last sample.
struct Node(u32);

impl App for Node {
    type Event = Signal;
    type Params = u32;
    type Outcome = ();
}

fn sampled(node: &mut Node, cx: &mut Cx<'_, Node>) {
    node.0 = *cx.params();
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        Instant::from_ticks(0)
    }
}

/// The choice has reached its crate: without one, atomics on this chip cannot be exchanged.
#[cfg(any(feature = "esp-hal", feature = "critical-section"))]
pub fn exchange(flag: &portable_atomic::AtomicBool) -> bool {
    flag.swap(true, portable_atomic::Ordering::AcqRel)
}

/// Likewise: this is the type that the program has chosen for what a critical section restores.
#[cfg(feature = "esp-hal")]
pub const RESTORED: critical_section::RawRestoreState = 0_u32;
/// Likewise.
#[cfg(feature = "critical-section")]
pub const RESTORED: critical_section::RawRestoreState = false;

struct Masking;
critical_section::set_impl!(Masking);

// SAFETY: nothing here is ever run.
unsafe impl critical_section::Impl for Masking {
    // What there is to restore is nothing, when nothing is chosen.
    #[allow(clippy::unit_arg)]
    #[inline(never)]
    unsafe fn acquire() -> critical_section::RawRestoreState {
        black_box(Default::default())
    }

    #[inline(never)]
    unsafe fn release(state: critical_section::RawRestoreState) {
        black_box(state);
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
