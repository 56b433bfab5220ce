//! The RP2040's timer as a clock that sleeps: 64 bits of microseconds, and an alarm.
//!
//! The counter is the time as it stands. The alarm compares its lower 32 bits and so reaches 72
//! minutes; a later deadline is slept in hops. It goes off when the counter *becomes* the alarm's
//! value and at no other time, so an alarm that is armed too late comes 72 minutes later: after
//! arming, and with interrupts masked, the clock is looked at once more.
//!
//! To copy this file: there is nothing to set. It takes alarm 0 and its interrupt.

use core::cell::{Cell, RefCell};

use critical_section::Mutex;
use ensue::{Clock, Instant, Sleep, time};
use rp2040_hal::arch;
use rp2040_hal::pac::{self, interrupt};
use rp2040_hal::timer::{Alarm, Alarm0, Instant as HalInstant};

/// The longest sleep; a later deadline takes several.
pub const LONGEST_SLEEP: ensue::Duration = ensue::Duration::from_ticks(u32::MAX as u64);

static ALARM: Mutex<RefCell<Option<Alarm0>>> = Mutex::new(RefCell::new(None));

/// The clock, of the core that has started it.
pub struct Timer {
    counter: rp2040_hal::Timer,
    wake_ups: Cell<u32>,
}

impl Timer {
    /// Takes alarm 0 and switches its interrupt on, on this core.
    ///
    /// Panics: if somebody has taken the alarm already, for then no sleep would end.
    pub fn start(mut counter: rp2040_hal::Timer) -> Self {
        let mut alarm = counter.alarm_0().expect("alarm 0 is free");
        alarm.enable_interrupt();
        critical_section::with(|cs| ALARM.replace(cs, Some(alarm)));
        // SAFETY: no code relies on this interrupt being masked; its handler is below.
        unsafe { pac::NVIC::unmask(pac::Interrupt::TIMER_IRQ_0) };
        Self { counter, wake_ups: Cell::new(0) }
    }

    /// How often a sleep has ended, whatever ended it.
    pub fn wake_ups(&self) -> u32 {
        self.wake_ups.get()
    }
}

impl Clock for Timer {
    fn now(&self) -> Instant {
        Instant::from_ticks(self.counter.get_counter().ticks())
    }

    fn wait(&self, sleep: &Sleep<'_>) {
        let reach = time::later(self.now(), LONGEST_SLEEP);
        let until = sleep.until().map(|until| until.min(reach));
        with_alarm(|alarm| {
            // Neither fails: nothing is beyond the reach of the alarm.
            _ = match until {
                Some(until) => alarm.schedule_at(HalInstant::from_ticks(until.as_ticks())),
                None => alarm.cancel(),
            };
        });
        // Masked on this core only: whoever sleeps inside a critical section stops the other one.
        arch::interrupt_free(|| {
            let is_due = until.is_some_and(|until| self.now() >= until);
            if is_due || sleep.is_over() {
                return;
            }
            // An interrupt that came since the mask has not been seen by the tests above. It is
            // pending, and that ends `wfi`; its handler runs when the mask goes.
            arch::wfi();
            self.wake_ups.set(self.wake_ups.get().wrapping_add(1));
        });
    }
}

/// Ends a sleep of the core that has the clock, for [`Inbox::wake_with`](ensue::Inbox::wake_with):
/// an interrupt of the other core is no interrupt here.
///
/// Callable from: main, interrupt, either core.
pub fn wake() {
    const ALARM_0: u32 = 1 << 0;
    const SET: usize = 0x2000;
    // SAFETY: this address sets bits of the register in one access, which thus does not undo what
    // the other core does to it; the bit forces the interrupt of an alarm that this file has taken.
    unsafe { (*pac::TIMER::PTR).intf().as_ptr().byte_add(SET).write_volatile(ALARM_0) };
}

/// The alarm has gone off, or somebody called [`wake`].
#[interrupt]
fn TIMER_IRQ_0() {
    with_alarm(Alarm0::clear_interrupt);
}

fn with_alarm(act: impl FnOnce(&mut Alarm0)) {
    critical_section::with(|cs| {
        if let Some(alarm) = ALARM.borrow_ref_mut(cs).as_mut() {
            act(alarm);
        }
    });
}
