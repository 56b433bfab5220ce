//! The system timer as a clock that sleeps: a 52-bit counter, and an alarm that reaches as far.
//!
//! esp-hal keeps the counter going and knows its speed. Here is the sleep. While a debugger is
//! attached, esp-hal does not let the core sleep: then the loop goes round, and every round counts
//! as a wake-up.

use core::cell::RefCell;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use critical_section::Mutex;
use ensue::{Clock, Instant, Sleep, time};
use esp_hal::peripherals::SYSTIMER;
use esp_hal::timer::OneShotTimer;
use esp_hal::timer::systimer;
use esp_hal::{Blocking, handler};

/// The longest sleep, in microseconds: four years, half of what the alarm can do.
pub const LONGEST_SLEEP: u64 = 1 << 47;

/// Set before each sleep that has an end.
static ALARM: Mutex<RefCell<Option<OneShotTimer<'static, Blocking>>>> =
    Mutex::new(RefCell::new(None));

static WAKE_UPS: AtomicU32 = AtomicU32::new(0);

/// The clock. Having one tells that the alarm's interrupt is on.
#[derive(Debug)]
pub struct SystemTimer {
    _runs: (),
}

impl SystemTimer {
    /// Switches the alarm on, set to never.
    pub fn start(timer: SYSTIMER<'static>) -> Self {
        let mut alarm = OneShotTimer::new(systimer::SystemTimer::new(timer).alarm0);
        alarm.set_interrupt_handler(rang);
        alarm.listen();
        critical_section::with(|token| ALARM.borrow_ref_mut(token).replace(alarm));
        Self { _runs: () }
    }

    /// How often a sleep has ended, whatever ended it.
    pub fn wake_ups(&self) -> u32 {
        WAKE_UPS.load(Relaxed)
    }
}

impl Clock for SystemTimer {
    /// Callable from: main, interrupt.
    fn now(&self) -> Instant {
        Instant::from_ticks(esp_hal::time::Instant::now().duration_since_epoch().as_micros())
    }

    fn wait(&self, sleep: &Sleep<'_>) {
        critical_section::with(|token| {
            let mut alarm = ALARM.borrow_ref_mut(token);
            let Some(alarm) = alarm.as_mut() else { return };
            match sleep.until() {
                Some(until) => {
                    let left = time::since(until, self.now()).as_ticks().min(LONGEST_SLEEP);
                    // It fails where a sleep is too long for it, and this one is not.
                    let _ = alarm.schedule(esp_hal::time::Duration::from_micros(left));
                }
                None => alarm.stop(),
            }
            // An alarm that rings from here on is pending though masked, and so is any interrupt
            // that came since interrupts were masked: neither is slept through, for what is
            // pending ends `wfi`. What came before has set what `is_over` reads.
            let is_past = sleep.until().is_some_and(|until| until <= self.now());
            if !is_past && !sleep.is_over() {
                esp_hal::interrupt::wait_for_interrupt();
                WAKE_UPS.store(WAKE_UPS.load(Relaxed).wrapping_add(1), Relaxed);
            }
        });
    }
}

/// The alarm has gone off, and has ended the sleep. Its time stays past: it is switched off.
#[handler]
fn rang() {
    critical_section::with(|token| {
        if let Some(alarm) = ALARM.borrow_ref_mut(token).as_mut() {
            alarm.stop();
            alarm.clear_interrupt();
        }
    });
}
