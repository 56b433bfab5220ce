//! A shared bus beside its rivals: what one transfer costs over the bare bus, and for how long
//! interrupts are masked.
//!
//! The bare bus is a HAL that does nothing but note what it was asked, so all that is counted is what
//! lies between a driver and its HAL; a critical section around a transfer masks for as long as a
//! real one takes. What each rival does for its instructions differs: see the table in the
//! documentation of `ensue::bus`.
#![no_std]
#![no_main]

use core::{
    cell::RefCell,
    convert::Infallible,
    hint::black_box,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::{entry, exception};
use cortex_m_semihosting::{
    debug::{self, EXIT_SUCCESS},
    hprintln,
};
use embassy_embedded_hal::shared_bus::blocking::{i2c as embassy_i2c, spi as embassy_spi};
use embassy_sync::blocking_mutex::{
    Mutex,
    raw::{CriticalSectionRawMutex, NoopRawMutex},
};
use embedded_hal::{
    digital::{self, OutputPin},
    i2c::{self, I2c},
    spi::{self, MODE_0, SpiBus, SpiDevice},
};
use embedded_hal_bus::{i2c as eh_i2c, spi as eh_spi, util::AtomicCell};
use ensue::bus::{Speed, i2c as our_i2c, spi as our_spi};
use ensue_bench_qemu::{Counter, instructions, known_loop};
use panic_semihosting as _;

/// How often each thing is done.
const ROUNDS: u32 = 1_000;
const ADDRESS: u8 = 0x68;
const SPEED: Speed = Speed::kHz(400);

#[entry]
fn main() -> ! {
    let counter = Counter::new(cortex_m::Peripherals::take().unwrap().SYST);
    hprintln!("A write of two bytes through a shared bus, instructions over the bare bus");
    hprintln!("{:44}{:>6}{:>8}", "I2C", "cost", "masked");
    i2c_rows(&counter);
    hprintln!("\n{:44}{:>6}{:>8}", "SPI, the pin and the flush not counted", "cost", "masked");
    spi_rows(&counter);
    hprintln!("\n{:44}{:>6}{:>8}", "Other calls, all in all", "cost", "masked");
    other_rows(&counter);
    hprintln!("\nRAM, bytes");
    memory();

    debug::exit(EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}

/// A HAL that notes what it was asked.
struct Hal(u32);

impl Hal {
    #[inline(never)]
    fn transfers(&mut self, with: u8, bytes: usize) -> Result<(), i2c::ErrorKind> {
        self.0 = black_box(self.0.wrapping_add(u32::from(with) + bytes as u32));
        Ok(())
    }

    /// The bus of SPI does not know whom it talks to.
    #[inline(never)]
    fn moves(&mut self, bytes: usize) -> Result<(), Infallible> {
        self.0 = black_box(self.0.wrapping_add(bytes as u32));
        Ok(())
    }
}

impl i2c::ErrorType for Hal {
    type Error = i2c::ErrorKind;
}

impl I2c for Hal {
    fn write(&mut self, address: u8, write: &[u8]) -> Result<(), Self::Error> {
        self.transfers(address, write.len())
    }

    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [i2c::Operation<'_>],
    ) -> Result<(), Self::Error> {
        self.transfers(address, operations.len())
    }
}

impl spi::ErrorType for Hal {
    type Error = Infallible;
}

impl SpiBus for Hal {
    fn read(&mut self, words: &mut [u8]) -> Result<(), Infallible> {
        self.moves(words.len())
    }

    fn write(&mut self, words: &[u8]) -> Result<(), Infallible> {
        self.moves(words.len())
    }

    fn transfer(&mut self, read: &mut [u8], _: &[u8]) -> Result<(), Infallible> {
        self.moves(read.len())
    }

    fn transfer_in_place(&mut self, words: &mut [u8]) -> Result<(), Infallible> {
        self.moves(words.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.moves(0)
    }
}

/// A chip select.
struct Pin(bool);

impl Pin {
    #[inline(never)]
    fn set(&mut self, high: bool) -> Result<(), Infallible> {
        self.0 = black_box(high);
        Ok(())
    }
}

impl digital::ErrorType for Pin {
    type Error = Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.set(false)
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.set(true)
    }
}

struct NoDelay;

impl embedded_hal::delay::DelayNs for NoDelay {
    fn delay_ns(&mut self, _: u32) {}
}

#[inline(never)]
fn write_i2c(device: &mut impl I2c) {
    assert!(device.write(black_box(ADDRESS), black_box(&[1, 2])).is_ok());
}

#[inline(never)]
fn write_spi(device: &mut impl SpiDevice) {
    assert!(device.write(black_box(&[1, 2])).is_ok());
}

/// What must happen in any case: pin, write, flush, pin.
#[inline(never)]
fn write_bare_spi(bus: &mut Hal, cs: &mut Pin) {
    let done = cs.set_low().is_ok()
        && SpiBus::write(bus, black_box(&[1, 2])).is_ok()
        && bus.flush().is_ok()
        && cs.set_high().is_ok();
    assert!(done);
}

fn i2c_rows(counter: &Counter) {
    let mut hal = Hal(0);
    let bare = cost(counter, || write_i2c(&mut hal));
    let row = |name, mut device: &mut dyn FnMut()| {
        let over = cost(counter, &mut device) - bare;
        hprintln!("{:44}{:6}{:8}", name, over, masked(device));
    };
    hprintln!("{:44}{:6}{:8}", "the bare bus, all in all", bare, masked(|| write_i2c(&mut hal)));

    let config = || our_i2c::Config::at(ADDRESS).speed(SPEED);
    let bus = our_i2c::Bus::new(Hal(0));
    let mut device = bus.attach("imu", config()).unwrap();
    row("ensue", &mut || write_i2c(&mut device));
    let mut session = device.session().unwrap();
    row("ensue, in a session", &mut || write_i2c(&mut session));
    drop(session);
    let tuned = our_i2c::Bus::new(Hal(0)).tuned(SPEED, |_, speed| {
        black_box(speed);
        Ok::<(), Infallible>(())
    });
    let mut device = tuned.attach("imu", config()).unwrap();
    row("ensue, with a closure that sets the speed", &mut || write_i2c(&mut device));

    let bus = RefCell::new(Hal(0));
    let mut device = eh_i2c::RefCellDevice::new(&bus);
    row("embedded-hal-bus, RefCellDevice", &mut || write_i2c(&mut device));
    let bus = AtomicCell::new(Hal(0));
    let mut device = eh_i2c::AtomicDevice::new(&bus);
    row("embedded-hal-bus, AtomicDevice", &mut || write_i2c(&mut device));
    let bus = critical_section::Mutex::new(RefCell::new(Hal(0)));
    let mut device = eh_i2c::CriticalSectionDevice::new(&bus);
    row("embedded-hal-bus, CriticalSectionDevice", &mut || write_i2c(&mut device));

    let bus = Mutex::<NoopRawMutex, _>::new(RefCell::new(Hal(0)));
    let mut device = embassy_i2c::I2cDevice::new(&bus);
    row("embassy-embedded-hal, without a mutex", &mut || write_i2c(&mut device));
    let bus = Mutex::<CriticalSectionRawMutex, _>::new(RefCell::new(Hal(0)));
    let mut device = embassy_i2c::I2cDevice::new(&bus);
    row("embassy-embedded-hal, critical section", &mut || write_i2c(&mut device));
}

fn spi_rows(counter: &Counter) {
    let (mut hal, mut cs) = (Hal(0), Pin(true));
    let bare = cost(counter, || write_bare_spi(&mut hal, &mut cs));
    let row = |name, mut device: &mut dyn FnMut()| {
        let over = cost(counter, &mut device) - bare;
        hprintln!("{:44}{:6}{:8}", name, over, masked(device));
    };
    hprintln!("{:44}{:6}", "the bare bus and its pin, all in all", bare);

    let config = || our_spi::Config::new(Pin(true)).settings(MODE_0, Speed::MHz(8));
    let bus = our_spi::Bus::new(Hal(0));
    let mut device = bus.attach("flash", config()).ok().unwrap();
    row("ensue", &mut || write_spi(&mut device));
    let mut session = device.session().unwrap();
    row("ensue, in a session", &mut || write_spi(&mut session));

    let bus = RefCell::new(Hal(0));
    let mut device = eh_spi::RefCellDevice::new(&bus, Pin(true), NoDelay).unwrap();
    row("embedded-hal-bus, RefCellDevice", &mut || write_spi(&mut device));
    let bus = AtomicCell::new(Hal(0));
    let mut device = eh_spi::AtomicDevice::new(&bus, Pin(true), NoDelay).unwrap();
    row("embedded-hal-bus, AtomicDevice", &mut || write_spi(&mut device));
    let bus = critical_section::Mutex::new(RefCell::new(Hal(0)));
    let mut device = eh_spi::CriticalSectionDevice::new(&bus, Pin(true), NoDelay).unwrap();
    row("embedded-hal-bus, CriticalSectionDevice", &mut || write_spi(&mut device));

    let bus = Mutex::<NoopRawMutex, _>::new(RefCell::new(Hal(0)));
    let mut device = embassy_spi::SpiDevice::new(&bus, Pin(true));
    row("embassy-embedded-hal, without a mutex", &mut || write_spi(&mut device));
    let bus = Mutex::<CriticalSectionRawMutex, _>::new(RefCell::new(Hal(0)));
    let mut device = embassy_spi::SpiDevice::new(&bus, Pin(true));
    row("embassy-embedded-hal, critical section", &mut || write_spi(&mut device));
}

fn other_rows(counter: &Counter) {
    let row = |name, mut work: &mut dyn FnMut()| {
        hprintln!("{:44}{:6}{:8}", name, cost(counter, &mut work), masked(work));
    };
    row("an empty critical section", &mut || critical_section::with(|_| ()));
    row("one with a loop of 40, to check", &mut || critical_section::with(|_| known_loop(20)));
    let bus = our_i2c::Bus::new(Hal(0));
    let other = bus.attach("other", our_i2c::Config::at(0x10)).unwrap();
    let mut device = bus.attach("imu", our_i2c::Config::at(ADDRESS)).unwrap();
    let session = other.session();
    row("ensue, refused", &mut || refused(&mut device));
    drop(session);
    row("ensue, a device found by its name", &mut || _ = black_box(bus.device(black_box("imu"))));
    row("ensue, info", &mut || bus.info().for_each(|info| _ = black_box(info)));
    row("ensue, attach and release", &mut || {
        let late = bus.attach(black_box("late"), our_i2c::Config::at(0x11));
        let _ = black_box(late);
        bus.release("late").unwrap();
    });
}

#[inline(never)]
fn refused(device: &mut impl I2c) {
    assert!(device.write(black_box(ADDRESS), black_box(&[1, 2])).is_err());
}

fn memory() {
    hprintln!("{:44}{:6}", "ensue, an I2C bus for one device", size_of::<our_i2c::Bus<(), 1>>());
    hprintln!("{:44}{:6}", "ensue, an I2C bus for four", size_of::<our_i2c::Bus<(), 4>>());
    hprintln!("{:44}{:6}", "ensue, an SPI bus for four", size_of::<our_spi::Bus<(), Pin, 4>>());
    hprintln!("{:44}{:6}", "ensue, a handle", size_of::<our_i2c::Device<'_, ()>>());
}

/// Instructions, with those of the loop around it: the same for all.
fn cost(counter: &Counter, mut work: impl FnMut()) -> i64 {
    let ticks = counter.ticks(|| (0..ROUNDS).for_each(|_| work()));
    (instructions(ticks) as i64 + i64::from(ROUNDS) / 2) / i64::from(ROUNDS)
}

/// SysTick's ticks from its interrupt to the first look at it, the longest so far and the shortest.
static LATEST: AtomicU32 = AtomicU32::new(0);
static SOONEST: AtomicU32 = AtomicU32::new(u32::MAX);
const FAR: u32 = 0x00ff_ffff;

/// The longest time with interrupts masked, in instructions: an interrupt comes at every tick of the
/// work, and how late it is tells what was in its way.
fn masked(mut work: impl FnMut()) -> u64 {
    const LEAD: u32 = 400; // what comes before the work, and more
    // SAFETY: the counter reads SysTick and does not hold on to it; it is set up anew below.
    let mut syst = unsafe { cortex_m::Peripherals::steal() }.SYST;
    LATEST.store(0, Relaxed);
    SOONEST.store(u32::MAX, Relaxed);
    syst.enable_interrupt();
    for after in LEAD..LEAD + 1_600 {
        syst.disable_counter();
        syst.set_reload(after);
        syst.clear_current();
        syst.enable_counter();
        while SYST::get_current() == 0 {}
        syst.set_reload(FAR); // from the next time on
        cortex_m::asm::delay(LEAD / 2);
        work();
    }
    syst.disable_interrupt();
    syst.set_clock_source(SystClkSource::Core);
    instructions(u64::from(LATEST.load(Relaxed).saturating_sub(SOONEST.load(Relaxed))))
}

#[exception]
fn SysTick() {
    let late = FAR - SYST::get_current();
    LATEST.fetch_max(late, Relaxed);
    SOONEST.fetch_min(late, Relaxed);
}
