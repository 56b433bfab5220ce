//! The button: it connects its pin to ground, and that comes by interrupt. The contact bounces.

use core::cell::{Cell, RefCell};

use critical_section::Mutex;
use esp_hal::gpio::{Event, Input, InputConfig, Io, Pull};
use esp_hal::handler;
use esp_hal::peripherals::{GPIO9, IO_MUX};

static BUTTON: Mutex<RefCell<Option<Input<'static>>>> = Mutex::new(RefCell::new(None));
static WHEN_PRESSED: Mutex<Cell<fn()>> = Mutex::new(Cell::new(|| ()));

pub(crate) fn start(io: IO_MUX<'static>, pin: GPIO9<'static>) {
    Io::new(io).set_interrupt_handler(pressed);
    let mut button = Input::new(pin, InputConfig::default().with_pull(Pull::Up));
    critical_section::with(|token| {
        button.listen(Event::FallingEdge);
        BUTTON.borrow_ref_mut(token).replace(button);
    });
}

/// Calls this whenever the contact closes, from an interrupt.
pub fn on_press(when_pressed: fn()) {
    critical_section::with(|token| WHEN_PRESSED.borrow(token).set(when_pressed));
}

#[handler]
fn pressed() {
    let when_pressed = critical_section::with(|token| {
        let mut button = BUTTON.borrow_ref_mut(token);
        let button = button.as_mut().filter(|button| button.is_interrupt_set())?;
        button.clear_interrupt();
        Some(WHEN_PRESSED.borrow(token).get())
    });
    if let Some(when_pressed) = when_pressed {
        when_pressed();
    }
}
