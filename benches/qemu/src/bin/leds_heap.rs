//! Three LEDs with a bare heap of fn pointers, for its size: no cancel, no events.
#![no_std]
#![no_main]

use core::cmp::Ordering;

use cortex_m_rt::{entry, exception};
use ensue_bench_qemu::leds::{PERIODS_MS, millis, start_ticking, tick, write_port};
use heapless::{BinaryHeap, binary_heap::Min};
use panic_halt as _;

struct Entry {
    /// In milliseconds; wraps after 49 days.
    deadline: u32,
    period: u32,
    job: fn(&mut u32),
}

impl Entry {
    fn left(&self, now: u32) -> i32 {
        self.deadline.wrapping_sub(now).cast_signed()
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.deadline == other.deadline
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.left(other.deadline).cmp(&0)
    }
}

fn toggle<const PIN: u32>(pins: &mut u32) {
    *pins ^= 1 << PIN;
    write_port(*pins);
}

#[exception]
fn SysTick() {
    tick();
}

#[entry]
fn main() -> ! {
    if let Some(peripherals) = cortex_m::Peripherals::take() {
        start_ticking(peripherals.SYST);
    }
    let mut heap = BinaryHeap::<Entry, Min, 3>::new();
    let jobs = [toggle::<0>, toggle::<1>, toggle::<2>];
    for (period, job) in PERIODS_MS.into_iter().zip(jobs) {
        let _ = heap.push(Entry { deadline: 0, period, job });
    }
    let mut pins = 0;
    loop {
        let now = millis();
        while heap.peek().is_some_and(|first| first.left(now) <= 0) {
            let Some(mut first) = heap.pop() else { break };
            (first.job)(&mut pins);
            first.deadline = first.deadline.wrapping_add(first.period);
            let _ = heap.push(first);
        }
        // Woken by the tick, every millisecond.
        cortex_m::interrupt::free(|_| {
            if heap.peek().is_none_or(|first| first.left(millis()) > 0) {
                cortex_m::asm::wfi();
            }
        });
    }
}
