//! With the feature `defmt`, everything public can be logged. What that looks like is the matter of
//! a firmware, `examples/defmt`: a log is read with the help of the program that wrote it.

#![cfg(feature = "defmt")]

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};

use defmt::Format;
use ensue::clock::{Counter, Extended, Interrupt, Virtual};
use ensue::ring::{
    BadImage, Boot, Evicted, Flaw, Ids, Iter, Plain, Reader, Recovered, Reservation, Retained,
    RetainedRing, RingReader, RingWriter, SplitRing, Text, Tracked,
};
use ensue::{
    App, AwaitError, Cause, Cx, Duration, Ended, Events, Fault, FaultKind, Full, Inbox, Instant,
    Message, Missed, Next, NoSuchTask, Priority, PutError, Rejected, Ring, ScheduleError,
    SetRepeatError, Sleep, State, Status, Task, TaskId, TooShort, TooSmall, Work, WrongOption,
    pattern::Backoff,
};

ensue::events! {
    #[derive(defmt::Format)]
    enum Signal { Button }
}

struct Node;

impl App for Node {
    type Event = Signal;
    type Params = u8;
    type Outcome = Result<(), Trouble>;
}

#[derive(Format)]
struct Trouble;

fn can_be_logged<T: Format + ?Sized>() {}

#[test]
fn the_scheduler_can_be_logged() {
    can_be_logged::<Work<Node, Virtual<'_>, 4>>();
    can_be_logged::<Cx<'_, Node>>();
    can_be_logged::<(Next, Ended)>();
    can_be_logged::<(Task<Node>, TaskId, Priority, Missed)>();
    can_be_logged::<(Cause<Signal>, State<Signal>)>();
    can_be_logged::<Status<Signal>>();
    can_be_logged::<(Rejected<Node>, ScheduleError, SetRepeatError, AwaitError, NoSuchTask)>();
    can_be_logged::<(Fault<'_, Node>, FaultKind<'_, Trouble>, FaultKind<'_, Infallible>)>();
    can_be_logged::<(Inbox<Signal, u8, 4>, Inbox<Signal, u8, 4, fn()>)>();
    can_be_logged::<(Full<u8>, Events<1>)>();
    can_be_logged::<(Backoff, WrongOption, ensue::Error)>();
}

#[test]
fn time_can_be_logged() {
    struct Timer;
    impl Counter for Timer {
        const HZ: u32 = 1_000_000;
        const TURN: u64 = 1 << 16;
        fn count(&self) -> u32 {
            0
        }
        fn has_wrapped(&self) -> bool {
            false
        }
        fn acknowledge(&self) {}
    }
    can_be_logged::<(Instant, Duration, Sleep<'_>)>();
    can_be_logged::<(Extended<Timer>, Virtual<'_>, Interrupt<'_>)>();
    #[cfg(feature = "std")]
    can_be_logged::<ensue::clock::Std>();
}

#[test]
fn rings_can_be_logged() {
    can_be_logged::<(Ring<[u8; 64]>, Ring<&mut [u8], Tracked>, Plain, Tracked)>();
    can_be_logged::<Ring>();
    can_be_logged::<(Message<'_>, Text<'_>, Reader<'_>, Ids<'_>, Iter<'_>)>();
    can_be_logged::<(PutError, TooShort, TooSmall, Reservation<'_>, Evicted)>();
    can_be_logged::<(BadImage, Flaw, Recovered)>();
    can_be_logged::<(Retained<64>, RetainedRing<'_>, Boot)>();
    can_be_logged::<(SplitRing<64>, RingWriter<'_>, RingReader<'_>)>();
}

#[cfg(feature = "bus")]
#[test]
fn buses_can_be_logged() {
    use embedded_hal::digital::{ErrorType, OutputPin};
    use ensue::bus::{
        AttachErrorOf, Bus, Busy, Counters, Device, Fixed, Info, Infos, NoDelay, NoSuchDevice,
        RecoverError, Recovered, RefusedBy, ReleaseError, Session, Wiring, Wish, i2c, spi,
    };

    struct Pin;
    impl ErrorType for Pin {
        type Error = Infallible;
    }
    impl OutputPin for Pin {
        fn set_low(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
        fn set_high(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
    }
    fn a_bus_can_be_logged<W>()
    where
        W: Wiring<Settings: Format, Label: Format, PinError: Format, Plan: Format> + Format,
    {
        can_be_logged::<Bus<W, ()>>();
        can_be_logged::<(Device<'_, W, ()>, Session<'_, W, ()>, Infos<'_, W>)>();
        can_be_logged::<(AttachErrorOf<W>, RefusedBy<W>)>();
        can_be_logged::<(W::Plan, Wish<W::Settings>, Info<W::Label>)>();
    }
    a_bus_can_be_logged::<i2c::Config>();
    a_bus_can_be_logged::<spi::Config<Pin>>();
    can_be_logged::<(i2c::Address, i2c::Error<u8>, spi::Error<u8, u8>)>();
    can_be_logged::<(Counters, Fixed, NoDelay, Recovered, RecoverError<u8>)>();
    can_be_logged::<(Busy, NoSuchDevice, ReleaseError, ensue::clock::Delay<Virtual<'_>>)>();
}

/// A type that was forgotten above is not forgotten here: each that a source file makes public has
/// a `Format` in `src/log`.
#[test]
fn no_public_type_is_left_out() {
    // Public in name only: they are part of a sealed trait, or stand for another crate's type.
    const NOT_PUBLIC: [&str; 2] = ["Listeners", "AtomicBool"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let log: String = sources(&root.join("log")).into_iter().map(|(_, text)| text).collect();
    let name_of = |line: &str| {
        let declared = line.strip_prefix("pub struct ").or(line.strip_prefix("pub enum "))?;
        declared.split(|c: char| !c.is_alphanumeric()).next().map(str::to_owned)
    };

    let mut left_out = Vec::new();
    for (path, text) in sources(&root) {
        for name in text.lines().filter_map(name_of) {
            let has_format = log.lines().any(|line| {
                let of = line.split_once("for ").map(|(_, of)| of.trim_start_matches("crate::"));
                let last = of.and_then(|of| of.split(['<', ' ']).next());
                last.and_then(|path| path.rsplit("::").next()) == Some(&name)
            });
            if !has_format && !NOT_PUBLIC.contains(&name.as_str()) {
                left_out.push(format!("{name} of {}", path.display()));
            }
        }
    }
    assert!(left_out.is_empty(), "without a `Format` in src/log: {left_out:#?}");
}

/// All source files below a folder.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else {
            let text = fs::read_to_string(&path).expect("it can be read");
            found.push((path, text));
        }
    }
    found
}
