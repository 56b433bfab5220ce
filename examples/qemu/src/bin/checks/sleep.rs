//! The sleep: it ends in time, and misses nothing.

use core::arch::asm;

use ensue::{Clock, Duration, Ended, ExtU64, Instant, Sleep, Task, time};
use port::{ALARM_HZ, Timer, on_alarm, println, set_alarm};

use crate::{INBOX, Notes, ON_TIME, Signal, bench, note, stop};

/// An alarm that is past when it is armed is not waited for.
pub(crate) fn a_deadline_is_met_however_near_it_is(clock: &Timer) {
    for ahead in 0..150 {
        let until = time::later(clock.now(), Duration::from_micros(ahead));
        while clock.now() < until {
            clock.wait(&Sleep::new(Some(until), None));
        }
        let late = time::since(clock.now(), until);
        assert!(late < ON_TIME, "a deadline {ahead} us ahead was met {late} late");
    }
}

/// An interrupt triggers an event, or stops the loop, at every instruction from before the pass
/// until the core has slept; the only deadline is an hour away. With something in the inbox already,
/// some of these instructions are those that read it.
pub(crate) fn no_trigger_is_slept_through(clock: &Timer) {
    fn plain() {
        INBOX.trigger_event(Signal::Alarm);
    }
    fn with_params() {
        INBOX.trigger_event_with(Signal::Alarm, 1).expect("there is room");
    }
    fn before() {
        INBOX.trigger_event(Signal::Button);
        INBOX.trigger_event_with(Signal::Button, 1).expect("there is room");
    }
    fn a_stop() {
        INBOX.stop();
    }
    let alarms =
        [("without params", plain as fn()), ("with params", with_params), ("a stop", a_stop)];
    let inboxes = [("an empty inbox", (|| ()) as fn()), ("one that is being read", before)];
    for (how, alarm) in alarms {
        for (into, before) in inboxes {
            on_alarm(alarm);
            let Sweep { moments, slept_through } = sweep(clock, clock, before);
            assert_eq!(slept_through, 0, "{how}, into {into}, of {moments} moments");
            println!("  {how}, into {into}: {moments} moments");
        }
    }
}

/// The same, to see that it can fail: a port that looks before it masks interrupts.
pub(crate) fn a_careless_port_is_found_out(clock: &Timer) {
    #[derive(Clone, Copy)]
    struct Careless<'a>(&'a Timer);

    impl Clock for Careless<'_> {
        fn now(&self) -> Instant {
            self.0.now()
        }

        fn wait(&self, sleep: &Sleep<'_>) {
            if !sleep.is_over() {
                let until = time::later(self.now(), Duration::from_millis(1));
                self.0.wait(&Sleep::new(Some(until), None));
            }
        }
    }
    on_alarm(|| INBOX.trigger_event(Signal::Alarm));
    let sweep = sweep(clock, Careless(clock), || ());
    assert!(sweep.slept_through > 0, "not in {} moments", sweep.moments);
    println!("  {} of {} moments were slept through", sweep.slept_through, sweep.moments);
}

struct Sweep {
    moments: u32,
    slept_through: u32,
}

/// Moves the alarm from right ahead to where the core has long been asleep. A tick may be longer
/// than an instruction, so each number of ticks is tried with some more instructions after it.
fn sweep(timer: &Timer, clock: impl Clock + Copy, before: fn()) -> Sweep {
    let mut sweep = Sweep { moments: 0, slept_through: 0 };
    let mut asleep = 0;
    for ticks in 1.. {
        for shift in 0..8 {
            let (mut work, mut notes) = (bench(clock), Notes::default());
            work.on(Signal::Alarm, stop).unwrap();
            work.schedule(Task::on(Signal::Button, note).again()).unwrap();
            work.at(1.hours(), stop).unwrap();
            before();

            let (begun, wake_ups) = (timer.now(), timer.wake_ups());
            set_alarm(ticks);
            for _ in 0..shift {
                // SAFETY: it does nothing.
                unsafe { asm!("nop") };
            }
            assert_eq!(work.start(&mut notes), Ended::Stopped);

            let took = time::since(timer.now(), begun);
            let alarm = Duration::from_micros(u64::from(ticks) * 1_000_000 / u64::from(ALARM_HZ));
            sweep.moments += 1;
            sweep.slept_through += u32::from(took > alarm + ON_TIME);
            if took > Duration::from_secs(1) {
                return sweep; // nobody needs another hour
            }
            asleep = if timer.wake_ups() == wake_ups { 0 } else { asleep + 1 };
        }
        if asleep > 400 {
            break;
        }
        assert!(ticks < 10_000, "the core does not sleep");
    }
    assert!(sweep.moments > asleep, "the core slept from the first moment on");
    sweep
}
