//! The main job of the crate on a board: sensors, a button, an alarm, a log and a console; and an
//! LED that shows that it is alive.
//!
//! ```console
//! $ cargo run --release --bin node      then type commands on the serial port; `quit` ends
//! ```
//!
//! What it does is in `app`, which `examples/node` runs on a computer. All that the chip brings to
//! it stands here: two interrupts leave events in the inbox, the timer is the clock, the core
//! sleeps whenever nothing is due, and the sensors are two LM75 on one I2C bus, at 0x48 and 0x49.
//! Their driver is the crate `lm75`, which knows nothing of a shared bus, of retries, or of this
//! crate.

#![no_std]
#![no_main]

#[path = "../../../node/app/mod.rs"]
mod app;

use core::cell::RefCell;
use core::fmt::{self, Write};

use app::{Celsius, Inbox, NoAnswer, Node, Sensors, Signal, TASKS, Trouble, Typed};
use critical_section::Mutex;
use embedded_hal::digital::StatefulOutputPin;
use ensue::bus::i2c::{self, Bus, Config};
use ensue::bus::{Fixed, Speed};
use ensue::clock::Delay;
use ensue::pattern::Backoff;
use ensue::{Cx, Duration, Ended, Instant, Priority, Task, Work};
use lm75::{Lm75, ic};
use pico::{Button, I2c, Led, SerialIn, Timer};
use rp2040_hal::gpio::Interrupt;
use rp2040_hal::pac::{self, interrupt};

const BLINK: Duration = Duration::from_millis(500);
const SPEED: Speed = Speed::kHz(100);
/// A chip that has just been plugged in needs a moment; three tries take 3 ms, in which nobody else
/// gets a turn.
const PATIENCE: Backoff =
    Backoff::new(Duration::from_millis(1), Duration::from_millis(2)).give_up_after(3);

/// What the console takes for a line that was cut short.
const CANCEL: u8 = 0x18;

static TYPED: Typed = Typed::new();
static INBOX: Inbox = Inbox::new();
static BUTTON: Mutex<RefCell<Option<Button>>> = Mutex::new(RefCell::new(None));
static SERIAL: Mutex<RefCell<Option<SerialIn>>> = Mutex::new(RefCell::new(None));
/// The application does not know of an LED, so it cannot be in its state.
static LED: Mutex<RefCell<Option<Led>>> = Mutex::new(RefCell::new(None));

/// The bus, which cannot change its speed, and in whose pauses the core sleeps.
type Wires<'a> = Bus<I2c, 2, Fixed, Delay<&'a Timer>>;
type Thermometer<'a> = Lm75<i2c::Device<'a, I2c, Fixed, Delay<&'a Timer>>, ic::Lm75>;

/// What hangs on the wires.
struct Thermometers<'a> {
    bus: &'a Wires<'a>,
    indoors: Thermometer<'a>,
    outdoors: Thermometer<'a>,
}

impl<'a> Thermometers<'a> {
    fn on(bus: &'a Wires<'a>) -> Self {
        let attach = |name, address| {
            let device = bus.attach(name, Config::at(address).retry(PATIENCE));
            Lm75::new(device.expect("the bus has two places"), address)
        };
        Self { bus, indoors: attach("indoors", 0x48), outdoors: attach("outdoors", 0x49) }
    }
}

impl Sensors for Thermometers<'_> {
    fn indoors(&mut self, _: Instant) -> Result<Celsius, NoAnswer> {
        read(&mut self.indoors)
    }

    fn outdoors(&mut self, _: Instant) -> Result<Celsius, NoAnswer> {
        read(&mut self.outdoors)
    }

    /// What the bus has counted.
    fn tell(&self, line: &mut dyn FnMut(fmt::Arguments<'_>) -> fmt::Result) -> fmt::Result {
        self.bus.info().try_for_each(|device| line(format_args!("{device}")))
    }
}

fn read(thermometer: &mut Thermometer<'_>) -> Result<Celsius, NoAnswer> {
    let celsius = thermometer.read_temperature().map_err(|_| NoAnswer)?;
    Ok(Celsius::tenths((celsius * 10.0) as i16))
}

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
    let bus = Bus::with_room(board.two_wires.start(SPEED.to_Hz()));
    let bus: Wires = bus.with_delay(Delay::new(&clock)).fixed(SPEED);

    let mut work = Work::<Node, _, { TASKS + 1 }>::new(&clock).listen(&INBOX);
    let blink = Task::repeat(BLINK, blink).priority(Priority::High).named("blink");
    work.schedule(blink).map_err(|rejected| rejected.reason).expect("an empty table has a place");
    work.do_now(app::begin).expect("it has several");

    let mut sensors = Thermometers::on(&bus);
    let mut node = Node::new(&mut sensors, &mut board.serial_out, &TYPED);
    // A serial line shows nothing that is typed.
    node.echo = true;
    let ended = work.start(&mut node);

    _ = writeln!(board.serial_out, "slept {} times", clock.wake_ups());
    pico::exit(if ended == Ended::Stopped { 0 } else { 1 })
}
