//! Two thermometers on one I2C bus, each with its own driver and its own task; and a third that
//! somebody forgot to plug in.
//!
//! The driver is the crate `lm75`, which knows nothing of a shared bus, of retries, or of this crate.
//!
//! ```console
//! $ cargo run --release --bin two_sensors     with an LM75 at 0x48 and one at 0x49
//! ```

#![no_std]
#![no_main]

use core::fmt::Write;

use ensue::bus::i2c::{self, Bus, Config};
use ensue::bus::{Fixed, Speed};
use ensue::pattern::Backoff;
use ensue::{App, Cx, Duration, Ended, ExtU64, Fault, FaultKind, Task, Work};
use lm75::{Lm75, ic};
use pico::{I2c, Pico, SerialOut};

const SPEED: Speed = Speed::kHz(100);
/// A chip that has just been plugged in needs a moment; four tries take 7 ms.
const PATIENCE: Backoff =
    Backoff::new(Duration::from_millis(1), Duration::from_millis(4)).give_up_after(4);

/// The bus's devices, which have a HAL's timer to wait with.
type Device<'a> = i2c::Device<'a, I2c, Fixed, rp2040_hal::Timer>;
type Thermometer<'a> = Lm75<Device<'a>, ic::Lm75>;
type Trouble = lm75::Error<i2c::Error<rp2040_hal::i2c::Error>>;

struct Station<'a> {
    indoors: Thermometer<'a>,
    outdoors: Thermometer<'a>,
    attic: Thermometer<'a>,
    out: &'a mut SerialOut,
}

impl App for Station<'_> {
    type Event = ();
    type Params = ();
    type Outcome = Result<(), Trouble>;

    fn on_fault(&mut self, fault: &Fault<'_, Self>, _: &mut Cx<Self>) {
        let FaultKind::Failed(Trouble::I2C(error)) = fault.kind else { return };
        // The output cannot fail, here and below.
        _ = writeln!(self.out, "{}: {error}", fault.name.unwrap_or("a task"));
    }
}

fn read_indoors(station: &mut Station, _: &mut Cx<Station>) -> Result<(), Trouble> {
    let celsius = station.indoors.read_temperature()?;
    _ = writeln!(station.out, "indoors: {celsius:.1} C");
    Ok(())
}

fn read_outdoors(station: &mut Station, _: &mut Cx<Station>) -> Result<(), Trouble> {
    let celsius = station.outdoors.read_temperature()?;
    _ = writeln!(station.out, "outdoors: {celsius:.1} C");
    Ok(())
}

fn read_attic(station: &mut Station, _: &mut Cx<Station>) -> Result<(), Trouble> {
    let celsius = station.attic.read_temperature()?;
    _ = writeln!(station.out, "attic: {celsius:.1} C");
    Ok(())
}

fn stop(_: &mut Station, cx: &mut Cx<Station>) -> Result<(), Trouble> {
    cx.stop();
    Ok(())
}

#[pico::entry]
fn main() -> ! {
    let Pico { clock, counter, mut serial_out, two_wires, .. } = pico::start();
    let bus = Bus::with_room::<3>(two_wires.start(SPEED.to_Hz())).with_delay(counter).fixed(SPEED);
    let attach = |name, address| bus.attach(name, Config::at(address).retry(PATIENCE));
    let indoors = attach("indoors", 0x48).expect("the bus has three places");
    let outdoors = attach("outdoors", 0x49).expect("two are left");
    let attic = attach("attic", 0x4A).expect("one is left");

    // Two drivers that do not know of each other would undo each other's settings of the chip.
    let twice = attach("cellar", 0x48).expect_err("somebody is at this address");
    _ = writeln!(serial_out, "cellar: {twice}");

    let mut station = Station {
        indoors: Lm75::new(indoors, 0x48),
        outdoors: Lm75::new(outdoors, 0x49),
        attic: Lm75::new(attic, 0x4A),
        out: &mut serial_out,
    };
    let mut work = Work::<Station, _, 4>::new(clock);
    let tasks = [
        Task::repeat(400.millis(), read_indoors).named("indoors"),
        Task::repeat(700.millis(), read_outdoors).named("outdoors"),
        Task::repeat(1.secs(), read_attic).named("attic"),
        Task::at(1900.millis(), stop),
    ];
    for task in tasks {
        work.schedule(task).map_err(|it| it.reason).expect("the table has four places");
    }
    let ended = work.start(&mut station);

    _ = write!(serial_out, "{}", bus.info());
    pico::exit(if ended == Ended::Stopped { 0 } else { 1 })
}
