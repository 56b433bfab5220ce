//! A whole firmware: a job that repeats, an interrupt whose event has a job run, and a core that
//! sleeps in between.
//!
//! ```console
//! $ cargo run --release
//! ```
//!
//! The LED is a line of text here, as QEMU has none to show, and the finger on the button is a job.

#![no_std]
#![no_main]

mod systick;

use cortex_m::peripheral::NVIC;
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use ensue::{App, Cx, ExtU64, Inbox, ScheduleError, Task, Work};
use lm3s6965::{Interrupt, interrupt};
use panic_semihosting as _;

use systick::SysTick;

/// The clock: SysTick of a core that runs at so many hertz, here what it has after reset.
type Timer = SysTick<12_500_000>;

ensue::events! {
    /// What interrupts may tell.
    pub enum Signal { Button }
}

/// Where interrupts leave events, none of which has params here.
static INBOX: Inbox<Signal, (), 0> = Inbox::new();

/// The program's state; every job gets it.
struct Node {
    led: bool,
    presses: u32,
}

impl App for Node {
    type Event = Signal;
    type Params = ();
    type Outcome = ();
}

#[entry]
fn main() -> ! {
    let core = cortex_m::Peripherals::take().expect("nobody took them before");
    let clock = Timer::start(core.SYST);
    // SAFETY: no code relies on this interrupt being masked; its handler is below.
    unsafe { NVIC::unmask(Interrupt::GPIOA) };

    let mut node = Node { led: false, presses: 0 };
    if run(&clock, &mut node).is_err() {
        panic!("the table of tasks is too small");
    }
    hprintln!("presses: {}, sleeps: {}", node.presses, clock.wake_ups());
    // Ends the emulator. What is printed, and this, needs a debugger on a board: without one the
    // core stops at the first of them.
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}

/// Runs until a job says stop.
fn run(clock: &Timer, node: &mut Node) -> Result<(), ScheduleError> {
    let mut work = Work::<Node, _, 4>::new(clock).listen(&INBOX);
    work.repeat(500.millis(), blink)?;
    work.schedule(Task::on(Signal::Button, pressed).again())?;
    work.at(1_200.millis(), press)?;
    work.at(2_700.millis(), |_, cx| cx.stop())?; // leave it out, and it runs for ever
    let _stopped = work.start(node);
    Ok(())
}

fn blink(node: &mut Node, cx: &mut Cx<Node>) {
    node.led = !node.led;
    say(cx, if node.led { "LED on" } else { "LED off" });
}

fn pressed(node: &mut Node, cx: &mut Cx<Node>) {
    node.presses += 1;
    say(cx, "the button was pressed");
}

/// Stands for a finger: the hardware raises this interrupt as it would when a pin changes.
fn press(_: &mut Node, _: &mut Cx<Node>) {
    NVIC::pend(Interrupt::GPIOA);
}

/// What a pin's interrupt does. A real one has to be cleared at its source, too.
#[interrupt]
fn GPIOA() {
    INBOX.trigger_event(Signal::Button);
}

fn say(cx: &Cx<Node>, what: &str) {
    hprintln!("{:>4} ms: {}", cx.now().duration_since_epoch().as_millis(), what);
}
