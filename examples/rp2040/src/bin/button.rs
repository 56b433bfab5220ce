//! A button that answers at once, however deep the core sleeps.
//!
//! The contact's interrupt leaves an event in the inbox; the job that listens changes a pin. A task
//! that does nothing every millisecond sends the core to sleep again and again, so that a test can
//! press the button at every moment of a pass and of going to sleep.

#![no_std]
#![no_main]

use core::cell::RefCell;

use critical_section::Mutex;
use embedded_hal::digital::StatefulOutputPin;
use ensue::{App, Cx, Duration, Inbox, ScheduleError, Task, Work};
use pico::{Answer, Button};
use rp2040_hal::gpio::Interrupt;
use rp2040_hal::pac::{self, interrupt};

const BUSY: Duration = Duration::from_millis(1);

ensue::events! {
    enum Signal { Button }
}

static INBOX: Inbox<Signal, (), 1> = Inbox::new();
static BUTTON: Mutex<RefCell<Option<Button>>> = Mutex::new(RefCell::new(None));

struct Answerer {
    pin: Answer,
}

impl App for Answerer {
    type Event = Signal;
    type Params = ();
    type Outcome = Result<(), ScheduleError>;
}

fn begin(_: &mut Answerer, cx: &mut Cx<Answerer>) -> Result<(), ScheduleError> {
    cx.schedule(Task::on(Signal::Button, answer).again())?;
    cx.repeat(BUSY, |_, _| Ok(()))?;
    Ok(())
}

fn answer(answerer: &mut Answerer, _: &mut Cx<Answerer>) -> Result<(), ScheduleError> {
    _ = answerer.pin.toggle(); // it cannot fail
    Ok(())
}

/// An edge on a pin. There is one pin whose edges matter.
#[interrupt]
fn IO_IRQ_BANK0() {
    critical_section::with(|cs| {
        if let Some(button) = BUTTON.borrow_ref_mut(cs).as_mut() {
            button.clear_interrupt(Interrupt::EdgeLow);
        }
    });
    INBOX.trigger_event(Signal::Button);
}

#[pico::entry]
fn main() -> ! {
    let board = pico::start();
    critical_section::with(|cs| BUTTON.replace(cs, Some(board.button)));
    // SAFETY: no code relies on this interrupt being masked; its handler is above.
    unsafe { pac::NVIC::unmask(pac::Interrupt::IO_IRQ_BANK0) };

    let mut work = Work::<Answerer, _, 4>::new(board.clock).listen(&INBOX);
    work.do_now(begin).expect("an empty table has a place");
    let ended = work.start(&mut Answerer { pin: board.answer });
    panic!("it answers for ever, and not until {ended:?}")
}
