//! The main job of the crate on a board: a sensor, a button, an alarm, a log and a console; and an
//! LED that shows that it is alive.
//!
//! ```console
//! $ cargo run --release --bin node      then type commands on the serial port; `quit` ends
//! ```
//!
//! What it does is in `app`, which `examples/node` runs on a computer. All that the chip brings to
//! it stands here: two interrupts leave events in the inbox, the timer is the clock, and the core
//! sleeps whenever nothing is due.

#![no_std]
#![no_main]

#[path = "../../../node/app/mod.rs"]
mod app;

use core::cell::RefCell;
use core::fmt::Write;

use app::{Inbox, Node, Signal, TASKS, Trouble, Typed};
use critical_section::Mutex;
use embedded_hal::digital::StatefulOutputPin;
use ensue::{Cx, Duration, Ended, Priority, Task, Work};
use pico::{Button, Led, SerialIn};
use rp2040_hal::gpio::Interrupt;
use rp2040_hal::pac::{self, interrupt};

const BLINK: Duration = Duration::from_millis(500);

/// What the console takes for a line that was cut short.
const CANCEL: u8 = 0x18;

static TYPED: Typed = Typed::new();
static INBOX: Inbox = Inbox::new();
static BUTTON: Mutex<RefCell<Option<Button>>> = Mutex::new(RefCell::new(None));
static SERIAL: Mutex<RefCell<Option<SerialIn>>> = Mutex::new(RefCell::new(None));
/// The application does not know of an LED, so it cannot be in its state.
static LED: Mutex<RefCell<Option<Led>>> = Mutex::new(RefCell::new(None));

fn blink(_: &mut Node, _: &mut Cx<Node>) -> Result<(), Trouble> {
    critical_section::with(|cs| {
        if let Some(led) = LED.borrow_ref_mut(cs).as_mut() {
            _ = led.toggle(); // it cannot fail
        }
    });
    Ok(())
}

/// The contact has closed. It bounces, and the application sees to that.
#[interrupt]
fn IO_IRQ_BANK0() {
    critical_section::with(|cs| {
        if let Some(button) = BUTTON.borrow_ref_mut(cs).as_mut() {
            button.clear_interrupt(Interrupt::EdgeLow);
        }
    });
    INBOX.trigger_event(Signal::Button);
}

/// Bytes have come in.
#[interrupt]
fn UART0_IRQ() {
    critical_section::with(|cs| {
        let serial = SERIAL.borrow_ref(cs);
        let Some(serial) = serial.as_ref() else { return };
        loop {
            let mut byte = [0];
            match serial.read_raw(&mut byte) {
                Ok(_) => byte.into_iter().for_each(|byte| TYPED.push(byte)),
                Err(nb::Error::WouldBlock) => break,
                Err(nb::Error::Other(_)) => TYPED.push(CANCEL),
            }
        }
    });
    INBOX.trigger_event(Signal::Typed);
}

#[pico::entry]
fn main() -> ! {
    let mut board = pico::start();
    critical_section::with(|cs| {
        BUTTON.replace(cs, Some(board.button));
        SERIAL.replace(cs, Some(board.serial_in));
        LED.replace(cs, Some(board.led));
    });
    // SAFETY: no code relies on these interrupts being masked; their handlers are above.
    unsafe {
        pac::NVIC::unmask(pac::Interrupt::IO_IRQ_BANK0);
        pac::NVIC::unmask(pac::Interrupt::UART0_IRQ);
    }

    let clock = board.clock;
    let mut work = Work::<Node, _, { TASKS + 1 }>::new(&clock).listen(&INBOX);
    let blink = Task::repeat(BLINK, blink).priority(Priority::High).named("blink");
    work.schedule(blink).map_err(|rejected| rejected.reason).expect("an empty table has a place");
    work.do_now(app::begin).expect("it has several");

    let mut node = Node::new(&mut board.serial_out, &TYPED);
    // A serial line shows nothing that is typed.
    node.echo = true;
    let ended = work.start(&mut node);

    _ = writeln!(board.serial_out, "slept {} times", clock.wake_ups());
    pico::exit(if ended == Ended::Stopped { 0 } else { 1 })
}
