//! Three LEDs with ensue, for its size.
#![no_std]
#![no_main]

use cortex_m_rt::{entry, exception};
use ensue::{App, Clock, Cx, Duration, Instant, Sleep, Work};
use ensue_bench_qemu::leds::{PERIODS_MS, millis, start_ticking, tick, write_port};
use panic_halt as _;

struct Leds {
    pins: u32,
}

impl App for Leds {
    type Event = core::convert::Infallible;
    type Params = ();
    type Outcome = ();
}

fn toggle<const PIN: u32>(leds: &mut Leds, _: &mut Cx<Leds>) {
    leds.pins ^= 1 << PIN;
    write_port(leds.pins);
}

struct Ticks;

impl Clock for Ticks {
    fn now(&self) -> Instant {
        Instant::from_ticks(u64::from(millis()) * 1_000)
    }

    fn wait(&self, sleep: &Sleep<'_>) {
        // The tick ends this every millisecond, also when it comes between the test and the sleep.
        cortex_m::interrupt::free(|_| {
            if !sleep.is_over() && sleep.until().is_none_or(|until| self.now() < until) {
                cortex_m::asm::wfi();
            }
        });
    }
}

#[exception]
fn SysTick() {
    tick();
}

#[entry]
fn main() -> ! {
    // Becomes a `&'static mut`: all zeros, so it takes no flash.
    static mut WORK: Work<Leds, Ticks, 3, 0> = Work::new(Ticks);

    if let Some(peripherals) = cortex_m::Peripherals::take() {
        start_ticking(peripherals.SYST);
    }
    let jobs = [toggle::<0>, toggle::<1>, toggle::<2>];
    for (period, job) in PERIODS_MS.into_iter().zip(jobs) {
        let _ = WORK.repeat(Duration::from_millis(period.into()), job);
    }
    let mut leds = Leds { pins: 0 };
    loop {
        let _ = WORK.start(&mut leds);
    }
}
