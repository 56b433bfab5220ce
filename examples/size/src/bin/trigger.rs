//! What a trigger costs an interrupt on a Cortex-M0: `cargo xtask trigger` traces this program in
//! QEMU, instruction by instruction, and counts what runs in each of the handlers below.
//!
//! The events are constant, as an interrupt's are, and the params are a word from memory. At the end
//! main takes what has arrived: a trigger that does nothing would be cheap too.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use cortex_m::peripheral::SCB;
use cortex_m_rt::{entry, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use ensue::{App, Clock, Cx, Inbox, Instant, Task, Work};

ensue::events! { enum Signal { Button, Sampled } }

/// How many triggers with params are accepted between two passes.
const ROOM: usize = 2;

static INBOX: Inbox<Signal, u32, ROOM> = Inbox::new();

static SAMPLE: AtomicU32 = AtomicU32::new(0);

/// Without params, where nothing can be masked.
#[exception]
unsafe fn NonMaskableInt() {
    INBOX.trigger_event(Signal::Button);
}

/// With params.
#[exception]
fn PendSV() {
    let _ = INBOX.trigger_event_with(Signal::Sampled, SAMPLE.load(Relaxed));
}

/// What a handler takes that does nothing.
#[exception]
fn SysTick() {}

/// What the jobs have heard of.
#[derive(PartialEq)]
struct Heard {
    buttons: u32,
    sample: u32,
}

impl App for Heard {
    type Event = Signal;
    type Params = u32;
    type Outcome = ();
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        Instant::from_ticks(0)
    }
}

#[entry]
fn main() -> ! {
    SCB::set_pendst();
    sample(1);
    let first = take();
    // The second of these is for the first place in the queue again, and the last one for none.
    sample(2);
    sample(3);
    sample(4);
    set_pendnmi();
    let then = take();
    let as_sent = first == Some(Heard { buttons: 0, sample: 1 })
        && then == Some(Heard { buttons: 1, sample: 3 });
    debug::exit(if as_sent && INBOX.refused() == 1 { EXIT_SUCCESS } else { EXIT_FAILURE });
    loop {
        cortex_m::asm::nop();
    }
}

fn sample(sample: u32) {
    SAMPLE.store(sample, Relaxed);
    SCB::set_pendsv();
}

#[inline(never)]
fn take() -> Option<Heard> {
    let mut heard = Heard { buttons: 0, sample: 0 };
    let mut work = Work::<Heard, _, 2>::new(Still).listen(&INBOX);
    work.on(Signal::Button, |heard: &mut Heard, _: &mut Cx<Heard>| heard.buttons += 1).ok()?;
    let sampled = |heard: &mut Heard, cx: &mut Cx<Heard>| heard.sample = *cx.params();
    work.schedule(Task::on(Signal::Sampled, sampled).again()).ok()?;
    let _ = work.poll(&mut heard);
    Some(heard)
}

/// cortex-m has no function for this one.
fn set_pendnmi() {
    const NMIPENDSET: u32 = 1 << 31;
    // SAFETY: writing this bit makes the interrupt above pending and does nothing else.
    unsafe { (*SCB::PTR).icsr.write(NMIPENDSET) };
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    debug::exit(EXIT_FAILURE);
    loop {
        cortex_m::asm::nop();
    }
}
