//! The serial port: what is typed comes by interrupt.

use core::cell::{Cell, RefCell};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use critical_section::Mutex;
use esp_hal::peripherals::{GPIO20, GPIO21, UART0};
use esp_hal::uart::{Config, RxConfig, Uart, UartInterrupt};
use esp_hal::{Blocking, handler};

static PORT: Mutex<RefCell<Option<Uart<'static, Blocking>>>> = Mutex::new(RefCell::new(None));
static WHEN_TYPED: Mutex<Cell<fn()>> = Mutex::new(Cell::new(|| ()));
static LOST: AtomicU32 = AtomicU32::new(0);

pub(crate) fn start(
    uart: UART0<'static>,
    out: GPIO21<'static>,
    input: GPIO20<'static>,
    when_typed: fn(),
) {
    // An interrupt for each byte: a person does not type that fast.
    let config = Config::default().with_rx(RxConfig::default().with_fifo_full_threshold(1));
    let port = Uart::new(uart, config).expect("115,200 baud and one byte are possible");
    let mut port = port.with_tx(out).with_rx(input);
    port.set_interrupt_handler(typed);
    critical_section::with(|token| {
        WHEN_TYPED.borrow(token).set(when_typed);
        port.listen(UartInterrupt::RxFifoFull);
        PORT.borrow_ref_mut(token).replace(port);
    });
}

/// The next byte that was typed, if there is one.
///
/// Callable from: main, interrupt.
pub fn read() -> Option<u8> {
    critical_section::with(|token| {
        let mut port = PORT.borrow_ref_mut(token);
        let mut byte = [0];
        match port.as_mut()?.read_buffered(&mut byte) {
            Ok(1) => Some(byte[0]),
            Ok(_) => None,
            Err(_) => {
                LOST.store(LOST.load(Relaxed).saturating_add(1), Relaxed);
                None
            }
        }
    })
}

/// How often something was garbled or came faster than it was read.
pub fn lost() -> u32 {
    LOST.load(Relaxed)
}

#[handler]
fn typed() {
    critical_section::with(|token| WHEN_TYPED.borrow(token).get())();
}
