//! A bus, and an interrupt that wants it as well.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use ensue::bus::Counters;
use ensue::bus::i2c::{Bus, Config, Error};
use port::{Timer, on_alarm, println, set_alarm};

/// A controller that takes a while, and notices when it is used twice at once.
struct Hal;

impl ErrorType for Hal {
    type Error = ErrorKind;
}

impl I2c for Hal {
    fn transaction(&mut self, _: u8, _: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        assert!(!IN_USE.load(Relaxed), "two transfers at once");
        IN_USE.store(true, Relaxed);
        (0..40).for_each(|_| core::hint::spin_loop());
        IN_USE.store(false, Relaxed);
        Ok(())
    }
}

static BUS: Bus<Hal, 2> = Bus::with_room(Hal);
static IN_USE: AtomicBool = AtomicBool::new(false);
static SERVED: AtomicU32 = AtomicU32::new(0);
static REFUSED: AtomicU32 = AtomicU32::new(0);
/// How often the interrupt came while the controller was at work: it is on then.
static AT_WORK: AtomicU32 = AtomicU32::new(0);

fn count(what: &AtomicU32) {
    what.store(what.load(Relaxed) + 1, Relaxed);
}

fn came() -> u32 {
    SERVED.load(Relaxed) + REFUSED.load(Relaxed)
}

/// The interrupt finds its device and writes, as a driver does that waits for nothing.
fn write() {
    let was_at_work = IN_USE.load(Relaxed);
    if was_at_work {
        count(&AT_WORK);
    }
    match BUS.device("urgent").map(|mut urgent| urgent.write(0x20_u8, &[1])) {
        Ok(Ok(())) if !was_at_work => count(&SERVED),
        Ok(Err(Error::Busy)) => count(&REFUSED),
        other => panic!("it came to {other:?}"),
    }
}

/// The interrupt comes at every instruction from before a transfer until after it. It gets the bus
/// or is told that it is busy; the transfer in the main program always succeeds.
pub(crate) fn an_interrupt_finds_the_bus_free_or_busy_at_any_moment(_: &Timer) {
    const LONGER_THAN_A_TRANSFER: u32 = 20;
    let mut usual = BUS.attach("usual", Config::at(0x10)).expect("there are two places");
    let urgent = BUS.attach("urgent", Config::at(0x20)).expect("one is left");
    on_alarm(write);
    let (mut moments, mut after) = (0, 0);
    while after < LONGER_THAN_A_TRANSFER {
        moments += 1;
        let before = came();
        set_alarm(moments);
        assert_eq!(usual.write(0x10_u8, &[1, 2]), Ok(()), "moment {moments}");
        after += u32::from(came() == before);
        while came() == before {}
    }
    on_alarm(|| ());

    let (served, refused) = (SERVED.load(Relaxed), REFUSED.load(Relaxed));
    let counters = |transfers, bytes, refused| {
        Some(Counters { transfers, bytes, refused, ..Counters::default() })
    };
    let counted = usual.info().map(|info| info.counters);
    assert_eq!(counted, counters(moments, 2 * moments, 0));
    assert_eq!(urgent.info().map(|info| info.counters), counters(served, served, refused));
    let at_work = AT_WORK.load(Relaxed);
    assert!(served > after && at_work > 0 && refused > at_work, "{served}, {refused}, {at_work}");
    println!("  {moments} moments: {served} times free, {refused} times busy");
}
