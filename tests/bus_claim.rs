//! The claim of a bus: who comes second is refused and does no harm, interrupts stay on, and however
//! a transfer ends, the claim ends with it.
#![cfg(feature = "bus")]

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use embedded_hal::digital::{ErrorType as PinErrorType, OutputPin};
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use embedded_hal::spi::{ErrorType as SpiErrorType, SpiBus, SpiDevice};
use ensue::bus::i2c::{Bus, Config, Error};
use ensue::bus::{AttachError, Busy, Counters, RateExtU32, ReleaseError, spi};

type Failure = Box<dyn std::error::Error>;

/// A controller that does as it is told while a transfer is on its way.
struct Hal<J> {
    during: J,
}

impl<J> ErrorType for Hal<J> {
    type Error = ErrorKind;
}

impl<J: FnMut() -> Result<(), ErrorKind>> I2c for Hal<J> {
    fn transaction(&mut self, _: u8, _: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        (self.during)()
    }
}

#[test]
fn an_interrupt_during_a_transfer_gets_busy_and_harms_nothing() -> Result<(), Failure> {
    type Shared = Bus<Hal<fn() -> Result<(), ErrorKind>>>;
    static INTERRUPTED: AtomicU32 = AtomicU32::new(0);
    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    static BUS: LazyLock<Shared> = LazyLock::new(|| Bus::new(Hal { during: interrupted }));

    fn interrupted() -> Result<(), ErrorKind> {
        if INTERRUPTED.fetch_add(1, Ordering::Relaxed) == 0 {
            match handler() {
                Ok(seen) => SEEN.lock().map_err(|_| ErrorKind::Other)?.extend(seen),
                Err(_) => return Err(ErrorKind::Other),
            }
        }
        Ok(())
    }

    /// What the interrupt handler does: all there is.
    fn handler() -> Result<[String; 5], Failure> {
        let mut button = BUS.device("button")?;
        Ok([
            format!("{:?}", button.write(0x20_u8, &[1])),
            format!("{:?}", button.session().err()),
            format!("{:?}", BUS.attach("late", Config::at(0x21)).err().map(|it| it.reason)),
            format!("{:?}", BUS.release("button")),
            format!("{:?}", BUS.with(|_| ())),
        ])
    }

    let mut sensor = BUS.attach("sensor", Config::at(0x48))?;
    let mut button = BUS.attach("button", Config::at(0x20))?;
    sensor.write(0x48_u8, &[1, 2, 3])?;
    let seen = SEEN.lock().map_err(|_| "poisoned")?;
    let expected = [
        format!("{:?}", Err::<(), Error<ErrorKind>>(Error::Busy)),
        format!("{:?}", Some(Busy)),
        format!("{:?}", Some(AttachError::<(), Infallible>::Busy)),
        format!("{:?}", Err::<(), _>(ReleaseError::Busy)),
        format!("{:?}", Err::<(), _>(Busy)),
    ];
    assert_eq!(*seen, expected);

    // What was interrupted came to its end, and who was refused has been counted and is served now.
    button.write(0x20_u8, &[1])?;
    let counters: Vec<_> = BUS.info().map(|info| info.counters).collect();
    let expected = [
        Counters { transfers: 1, bytes: 3, ..Counters::default() },
        Counters { transfers: 1, bytes: 1, refused: 2, ..Counters::default() },
    ];
    assert_eq!(counters, expected);
    Ok(())
}

/// On a host a critical section is a lock, so another thread gets in only if nobody is inside.
#[test]
fn interrupts_are_on_while_a_transfer_is_on_its_way() -> Result<(), Failure> {
    let interrupts_on = || {
        let (done, wait) = mpsc::channel();
        thread::spawn(move || critical_section::with(|_| done.send(())));
        wait.recv_timeout(Duration::from_secs(5)).map_err(|_| ErrorKind::Other)
    };
    let bus = Bus::new(Hal { during: interrupts_on });
    let mut imu = bus.attach("imu", Config::at(0x68))?;
    imu.write(0x68_u8, &[1])?;
    imu.session()?.write(0x68_u8, &[1])?;
    Ok(())
}

#[test]
fn an_error_ends_the_claim() -> Result<(), Failure> {
    let mut answers = [Err(ErrorKind::Bus), Ok(())].into_iter();
    let bus = Bus::new(Hal { during: || answers.next().unwrap_or(Ok(())) });
    let mut imu = bus.attach("imu", Config::at(0x68))?;
    assert_eq!(imu.write(0x68_u8, &[1]), Err(Error::Bus(ErrorKind::Bus)));
    assert_eq!(imu.write(0x68_u8, &[1]), Ok(()));
    Ok(())
}

#[test]
fn leaving_a_session_early_ends_the_claim() -> Result<(), Failure> {
    let mut answers = [Ok(()), Err(ErrorKind::Bus)].into_iter();
    let bus = Bus::new(Hal { during: || answers.next().unwrap_or(Ok(())) });
    let imu = bus.attach("imu", Config::at(0x68))?;
    let three = || -> Result<(), Failure> {
        let mut session = imu.session()?;
        session.write(0x68_u8, &[1])?;
        session.write(0x68_u8, &[2])?;
        session.write(0x68_u8, &[3])?;
        Ok(())
    };
    assert!(three().is_err());
    assert!(imu.session().is_ok());
    Ok(())
}

#[test]
fn a_panic_in_a_transfer_ends_the_claim() -> Result<(), Failure> {
    let mut first = true;
    let bus = Bus::new(Hal {
        during: || {
            if core::mem::replace(&mut first, false) {
                panic!("the HAL gives up");
            }
            Ok(())
        },
    });
    let mut imu = bus.attach("imu", Config::at(0x68))?;
    let panicked = catch_unwind(AssertUnwindSafe(|| imu.write(0x68_u8, &[1])));
    assert!(panicked.is_err());
    assert_eq!(imu.write(0x68_u8, &[1]), Ok(()));
    Ok(())
}

#[test]
fn a_panic_in_a_session_ends_the_claim() -> Result<(), Failure> {
    let mut left = 2;
    let bus = Bus::new(Hal {
        during: || {
            left -= 1;
            assert!(left != 0, "the HAL gives up");
            Ok(())
        },
    });
    let imu = bus.attach("imu", Config::at(0x68))?;
    let panicked = catch_unwind(AssertUnwindSafe(|| -> Result<(), Failure> {
        let mut session = imu.session()?;
        session.write(0x68_u8, &[1])?;
        session.write(0x68_u8, &[2])?;
        Ok(())
    }));
    assert!(panicked.is_err());
    imu.session()?.write(0x68_u8, &[3])?;
    Ok(())
}

#[test]
fn a_panic_while_settings_are_applied_leaves_them_unknown() -> Result<(), Failure> {
    let tuned = AtomicU32::new(0);
    let bus = Bus::new(Hal { during: || Ok(()) }).tuned(100.kHz(), |_, _| {
        if tuned.fetch_add(1, Ordering::Relaxed) == 0 {
            panic!("the HAL gives up");
        }
        Ok::<(), Infallible>(())
    });
    let mut fast = bus.attach("fast", Config::at(0x68).speed(400.kHz()))?;
    let mut usual = bus.attach("usual", Config::at(0x69))?;
    assert!(catch_unwind(AssertUnwindSafe(|| fast.write(0x68_u8, &[1]))).is_err());
    usual.write(0x69_u8, &[1])?;
    assert_eq!(tuned.load(Ordering::Relaxed), 2);
    Ok(())
}

/// A chip select that others can look at.
struct Select<'a>(&'a AtomicBool);

impl PinErrorType for Select<'_> {
    type Error = Infallible;
}

impl OutputPin for Select<'_> {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.store(false, Ordering::Relaxed);
        Ok(())
    }
}

/// An SPI that panics if its chip is not selected, and the first time also if it is.
struct Spi<'a> {
    selected: &'a AtomicBool,
    broken: bool,
}

impl SpiErrorType for Spi<'_> {
    type Error = Infallible;
}

impl SpiBus for Spi<'_> {
    fn read(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
        Ok(())
    }

    fn write(&mut self, _: &[u8]) -> Result<(), Infallible> {
        assert!(self.selected.load(Ordering::Relaxed), "no chip is selected");
        assert!(!core::mem::replace(&mut self.broken, false), "the HAL gives up");
        Ok(())
    }

    fn transfer(&mut self, _: &mut [u8], _: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }

    fn transfer_in_place(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[test]
fn a_panic_in_a_transaction_deselects_the_chip_as_well() -> Result<(), Failure> {
    let selected = AtomicBool::new(true);
    let bus = spi::Bus::new(Spi { selected: &selected, broken: true });
    let config = spi::Config::new(Select(&selected));
    let mut flash = bus.attach("flash", config).map_err(AttachError::from)?;
    let panicked = catch_unwind(AssertUnwindSafe(|| flash.write(&[1_u8])));
    assert!(panicked.is_err() && !selected.load(Ordering::Relaxed));
    flash.write(&[1_u8])?;
    assert!(!selected.load(Ordering::Relaxed));
    Ok(())
}

#[test]
fn threads_on_one_bus_never_meet_on_the_wires() -> Result<(), Failure> {
    const EACH: u32 = if cfg!(miri) { 20 } else { 5_000 };
    let in_use = AtomicBool::new(false);
    let exclusive = || {
        assert!(!in_use.swap(true, Ordering::Relaxed), "two transfers at once");
        thread::yield_now();
        in_use.store(false, Ordering::Relaxed);
        Ok(())
    };
    let bus = Bus::new(Hal { during: exclusive });
    let one = bus.attach("one", Config::at(0x11))?;
    let two = bus.attach("two", Config::at(0x12))?;
    thread::scope(|scope| {
        for (address, device) in [(0x11_u8, one.clone()), (0x12, two.clone()), (0x11, one.clone())]
        {
            let mut device = device;
            scope.spawn(move || {
                for _ in 0..EACH {
                    assert!(matches!(device.write(address, &[1]), Ok(()) | Err(Error::Busy)));
                }
            });
        }
    });
    let sum = |device: &ensue::bus::i2c::Device<'_, _>| {
        device.info().map(|info| info.counters.transfers + info.counters.refused)
    };
    // Every call is either a transfer or counted as refused, also where two refusals met.
    assert_eq!((sum(&one), sum(&two)), (Some(2 * EACH), Some(EACH)));
    Ok(())
}

/// A type as a value, to ask whether it may be sent and shared: where an inherent constant does not
/// apply, there is the trait's.
struct Of<T: ?Sized>(core::marker::PhantomData<T>);

impl<T: ?Sized + Send> Of<T> {
    const SEND: bool = true;
}

impl<T: ?Sized + Sync> Of<T> {
    const SYNC: bool = true;
}

trait Otherwise {
    const SEND: bool = false;
    const SYNC: bool = false;
}

impl<T: ?Sized> Otherwise for Of<T> {}

/// The bus, its devices and their sessions go where all that it holds may go: the HAL, the closure
/// that sets its speed, its delay, the pins. A `compile_fail` example in the documentation of `bus`
/// shows what the compiler says to it.
#[test]
fn a_bus_may_be_shared_if_what_it_holds_may_be_sent() {
    type Local = std::rc::Rc<u8>;
    type Closure<T> = (fn(), T);
    /// Of a bus, its devices and their sessions: whether they may be sent, and shared.
    macro_rules! all {
        ($wiring:ty, $hal:ty, $tune:ty, $delay:ty) => {{
            type Bus = Of<ensue::bus::Bus<$wiring, $hal, 4, $tune, $delay>>;
            type Device = Of<ensue::bus::Device<'static, $wiring, $hal, $tune, $delay>>;
            type Session = Of<ensue::bus::Session<'static, $wiring, $hal, $tune, $delay>>;
            [(Bus::SEND, Bus::SYNC), (Device::SEND, Device::SYNC), (Session::SEND, Session::SYNC)]
        }};
    }
    // A cell may be sent and not be shared: that is enough for the bus, whose claim is exclusive.
    type Cell = core::cell::Cell<u8>;
    assert_eq!(all!(Config, u8, u8, u8), [(true, true); 3]);
    assert_eq!(all!(Config, Cell, Cell, Cell), [(true, true), (true, true), (true, false)]);
    assert_eq!(all!(spi::Config<Pin<Cell>>, u8, u8, u8)[1], (true, true));

    let nothing = (false, false);
    assert_eq!(all!(Config, Local, u8, u8), [nothing; 3]);
    assert_eq!(all!(Config, u8, Closure<Local>, u8), [nothing; 3]);
    assert_eq!(all!(Config, u8, u8, Local), [nothing; 3]);
    assert_eq!(all!(spi::Config<Pin<Local>>, u8, u8, u8), [nothing; 3]);
    // A lock guard may be shared and not be sent.
    type Guard = std::sync::MutexGuard<'static, u8>;
    assert_eq!(all!(Config, Guard, u8, u8)[..2], [nothing; 2]);
}

/// A chip select that is, or is not, for one thread only.
struct Pin<T>(#[allow(dead_code, reason = "it is here for its type")] T);

impl<T> PinErrorType for Pin<T> {
    type Error = Infallible;
}

impl<T> OutputPin for Pin<T> {
    fn set_low(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
