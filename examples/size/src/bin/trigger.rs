//! What a trigger costs an interrupt on a Cortex-M0: `cargo xtask trigger` traces this program in
//! QEMU, instruction by instruction, and counts what runs in each of the handlers below.
//!
//! The events are constant, as an interrupt's are, and the params come from memory. At the end
//! main takes what has arrived: a trigger that does nothing would be cheap too.

#![no_std]
#![no_main]

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use cortex_m::peripheral::SCB;
use cortex_m_rt::{entry, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use ensue::{App, Clock, Cx, Inbox, Instant, Task, Work};

ensue::events! { enum Signal { Button, Sampled } }

/// How many triggers with params are accepted between two passes.
const ROOM: usize = 2;

static INBOX: Inbox<Signal, u32, ROOM> = Inbox::new();
/// Here the params are 64 bytes.
static LARGE: Inbox<Signal, [u32; 16], ROOM> = Inbox::new();

static SAMPLE: AtomicU32 = AtomicU32::new(0);

/// What a handler takes that does nothing.
#[exception]
fn SVCall() {}

/// With params.
#[exception]
fn PendSV() {
    let _ = INBOX.trigger_event_with(Signal::Sampled, SAMPLE.load(Relaxed));
}

/// Without params, where nothing can be masked: main has masked what there is when it comes.
#[exception]
unsafe fn NonMaskableInt() {
    INBOX.trigger_event(Signal::Button);
}

/// With large params.
#[exception]
fn SysTick() {
    let _ = LARGE.trigger_event_with(Signal::Sampled, [SAMPLE.load(Relaxed); 16]);
}

#[entry]
fn main() -> ! {
    // SAFETY: the handler is above and does nothing.
    unsafe { asm!("svc 0") };

    sample(1);
    let first = take(&INBOX);
    // The second of these is for the first place in the queue again, and the last one for none.
    sample(2);
    sample(3);
    sample(4);
    cortex_m::interrupt::free(|_| set_pendnmi());
    let then = take(&INBOX);

    SCB::set_pendst();
    let large = take(&LARGE);

    let as_sent = first == Some(Heard { buttons: 0, sample: 1 })
        && then == Some(Heard { buttons: 1, sample: 3 })
        && large == Some(Heard { buttons: 0, sample: [4; 16] });
    debug::exit(if as_sent && INBOX.refused() == 1 { EXIT_SUCCESS } else { EXIT_FAILURE });
    loop {
        cortex_m::asm::nop();
    }
}

fn sample(sample: u32) {
    SAMPLE.store(sample, Relaxed);
    SCB::set_pendsv();
}

/// cortex-m has no function for this one.
fn set_pendnmi() {
    const NMIPENDSET: u32 = 1 << 31;
    // SAFETY: writing this bit makes the interrupt above pending and does nothing else.
    unsafe { (*SCB::PTR).icsr.write(NMIPENDSET) };
}

/// One pass, by a scheduler of its own.
#[inline(never)]
fn take<P: Copy + Default + Send + 'static>(
    inbox: &'static Inbox<Signal, P, ROOM>,
) -> Option<Heard<P>> {
    let mut heard = Heard { buttons: 0, sample: P::default() };
    let mut work = Work::<Heard<P>, _, 2>::new(Still).listen(inbox);
    work.on(Signal::Button, |heard, _| heard.buttons += 1).ok()?;
    let sampled = |heard: &mut Heard<P>, cx: &mut Cx<Heard<P>>| heard.sample = *cx.params();
    work.schedule(Task::on(Signal::Sampled, sampled).again()).ok()?;
    let _ = work.poll(&mut heard);
    Some(heard)
}

/// What the jobs have heard of.
#[derive(PartialEq)]
struct Heard<P> {
    buttons: u32,
    sample: P,
}

impl<P: Copy + Default + 'static> App for Heard<P> {
    type Event = Signal;
    type Params = P;
    type Outcome = ();
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        Instant::from_ticks(0)
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    debug::exit(EXIT_FAILURE);
    loop {
        cortex_m::asm::nop();
    }
}
