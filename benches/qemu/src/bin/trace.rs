//! What `profile.py` traces: some activations, or events, between two marks.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use cortex_m_semihosting::debug::{self, EXIT_SUCCESS};
use ensue::{App, Cx, Duration, Next, Task, Work};
use ensue_bench_qemu::{NOW, Set, Signal, Tally, period, phase};
use panic_semihosting as _;

const N: usize = 8;
const ROUNDS: u32 = 100;

struct Bench(Tally);

impl App for Bench {
    type Event = Signal;
    type Params = u32;
    type Outcome = ();
}

fn note(bench: &mut Bench, _: &mut Cx<Bench>) {
    bench.0.note();
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn trace_begin(_: u32) {
    cortex_m::asm::nop();
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn trace_end() {
    cortex_m::asm::nop();
}

/// As in the benchmark, several sizes of table, so that the compiler cannot make one pass for one.
#[inline(never)]
fn periodic<const N: usize>(rounds: u32) {
    NOW.set(0);
    let mut bench = Bench(Tally::default());
    let mut work = Work::<Bench, _, N, 0>::new(Set);
    for task in 0..N {
        let task = Task::repeat(Duration::from_ticks(period(task).into()), black_box(note))
            .first_at(Duration::from_ticks(phase(task).into()));
        work.schedule(task).unwrap();
    }
    for round in 0..rounds + 20 {
        if round == 20 {
            trace_begin(rounds);
        }
        if let Next::At(next) = work.poll(&mut bench) {
            NOW.set(next.as_ticks());
        }
    }
    trace_end();
}

#[inline(never)]
fn cancels<const N: usize>(rounds: u32) {
    let mut work = Work::<Bench, _, N, 0>::new(Set);
    for number in 1..N as u32 {
        let delay = 10_000 + number.wrapping_mul(48_271) % 100_000;
        work.at(Duration::from_ticks(delay.into()), note).unwrap();
    }
    trace_begin(rounds);
    for round in 0..rounds {
        let delay = 10_000 + round.wrapping_mul(7_919) % 100_000;
        let id = work.at(Duration::from_ticks(delay.into()), black_box(note)).unwrap();
        work.cancel(black_box(id)).unwrap();
    }
    trace_end();
}

#[inline(never)]
fn events<const N: usize>(rounds: u32) {
    let mut bench = Bench(Tally::default());
    let mut work = Work::<Bench, _, N, 0>::new(Set);
    for _ in 0..N {
        work.schedule(Task::on(Signal::C, black_box(note)).again()).unwrap();
    }
    trace_begin(rounds);
    for _ in 0..rounds {
        work.trigger_event(black_box(Signal::C));
        let _ = black_box(work.poll(&mut bench));
    }
    trace_end();
}

#[entry]
fn main() -> ! {
    periodic::<N>(ROUNDS);
    cancels::<33>(ROUNDS);
    events::<8>(ROUNDS);
    debug::exit(EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}
