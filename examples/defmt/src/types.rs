//! Values of what a story does not bring forth by itself.

use core::convert::Infallible;

use embedded_hal::spi::MODE_0;
use ensue::bus::{
    AttachError, Busy, Counters, Info, RecoverError, Recovered, ReleaseError, Wish, i2c, spi,
};
use ensue::{
    AwaitError, Cause, Clock, Duration, ExtU64, Full, Instant, Missed, Next, NoSuchTask, Priority,
    Ring, ScheduleError, SetRepeatError, Sleep, State, TooShort,
    clock::Virtual,
    pattern::Backoff,
    ring::{Boot, Evicted},
};

use crate::Signal;

pub(crate) fn log() {
    scheduler();
    ring();
    bus();
}

fn scheduler() {
    let clock = Virtual::new();
    clock.advance(5.millis());
    defmt::info!("{} {} {}", clock, clock.now(), Sleep::new(Some(clock.now()), None));
    defmt::info!("{} {} {}", Priority::Low, Priority::Normal, Priority::High);
    defmt::info!("{} {} {}", Missed::Skip, Missed::Burst(3), Missed::Delay);
    let causes = [Cause::Time, Cause::Event(Signal::Button), Cause::Timeout];
    defmt::info!("{} {} {}", causes, State::Listening(Signal::Button), Next::Now);
    defmt::info!("{} {} {}", ScheduleError::TableFull, ScheduleError::TagTaken, NoSuchTask);
    defmt::info!("{} {}", SetRepeatError::WaitsForEvent, AwaitError::OptionsFull);
    defmt::info!("{} {}", Full(7), Backoff::new(1.secs(), Duration::from_secs(60)));
    defmt::info!("{}", Instant::from_ticks(u64::MAX));
}

fn ring() {
    let mut ring = Ring::<[u8; 27]>::new();
    for (id, text) in [(7, "21.5C"), (8, ""), (9, "door")] {
        defmt::info!("{}", ring.put(id, text.as_bytes()));
    }
    defmt::info!("{}", ring.put(0, b""));
    defmt::info!("{} {}", ring, ring.ids());
    defmt::info!("{}", ring.pull(8));
    defmt::info!("{}", ring.put(10, &[0; 24]));
    defmt::info!("{}", ring.put(10, b"closed"));
    defmt::info!("{}", ring.get());
    // It goes round the end of the ring.
    defmt::info!("{}", ring.put(10, b"closed"));
    defmt::info!("{}", ring.iter());
    defmt::info!("{}", TooShort { needed: 9 });

    defmt::info!("{} {}", Ring::over(&mut [][..]).err(), Evicted { messages: 1, bytes: 9 });
    // A message longer than all bytes that are in use.
    let image = [0, 7, 0, 9, 0, 0, 0, 0];
    if let Ok((ring, recovered)) = Ring::recover(image, 5, 0, 5) {
        defmt::info!("{} {}", ring, Boot::Again(recovered));
    }
}

fn bus() {
    let address = i2c::Address::Seven(0x48);
    let label = i2c::Label { address, speed: None };
    defmt::info!("{}", Info { name: "imu", label, counters: Counters::default() });
    defmt::info!("{}", i2c::Config::at(0x48).fixed());
    defmt::info!("{} {} {}", i2c::Error::<u8>::Bus(3), i2c::Error::<u8>::Released, Busy);

    let settings = spi::Settings { mode: MODE_0, frequency: ensue::bus::Speed::MHz(8) };
    let (wants, against) = (Wish { name: "flash", settings }, Wish { name: "adc", settings });
    defmt::info!("{}", AttachError::<_, Infallible>::ConfigConflict { wants, against });
    defmt::info!("{}", spi::Config::new(()).settings(MODE_0, settings.frequency));
    defmt::info!("{}", spi::Error::<u8, u8>::BusAndDeselect { bus: 1, pin: 2 });
    defmt::info!("{} {}", Recovered::After { clocks: 9 }, RecoverError::<u8>::SdaStuck);
    defmt::info!("{}", ReleaseError::NoSuchDevice);
}
