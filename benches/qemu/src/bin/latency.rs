//! From an interrupt's trigger to the first instruction of the job that answers it:
//! `cargo run --profile small --bin latency`.
//!
//! The loop has nothing else to do, and the other tasks wait for a time that does not come. The
//! interrupt is a call, for the rival as well: what entry and return take is the same for both.
//!
//! A program of its own, so that the rival's code in `work` is compiled as if this were not there.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use cortex_m_semihosting::{
    debug::{self, EXIT_SUCCESS},
    hprintln,
};
use embassy_time::Timer;
use ensue::{App, Cx, Duration, Inbox, Task, Work};
use ensue_bench_qemu::{
    Counter, ROUNDS, Set, Signal, instructions, others,
    rivals::{Async, SIGNALS, goes_on},
};
use panic_semihosting as _;

#[entry]
fn main() -> ! {
    let counter = Counter::new(cortex_m::Peripherals::take().unwrap().SYST);
    let rivals = Async::new();
    let c = &counter;
    let row = |name, [a, b, c]: [u64; 3]| hprintln!("{:36}{:7}{:7}{:7}", name, a, b, c);
    hprintln!("From an interrupt's trigger to the first instruction of the job");
    hprintln!("{:36}{:>7}{:>7}{:>7}", "instructions, tasks =", 1, 8, 64);
    row("ensue, an event in the inbox", [ensue::<1>(c), ensue::<8>(c), ensue::<64>(c)]);
    row("embassy-sync, a Signal", [1, 8, 64].map(|tasks| signal(c, &rivals, tasks)));
    debug::exit(EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}

struct Bench;

impl App for Bench {
    type Event = Signal;
    type Params = u32;
    type Outcome = ();
}

static INBOX: Inbox<Signal, u32, 8> = Inbox::new();

fn answer(_: &mut Bench, _: &mut Cx<Bench>) {
    Counter::mark();
}

#[inline(never)]
fn ensue<const N: usize>(counter: &Counter) -> u64 {
    let mut work = Work::<Bench, _, N, 0>::new(Set).listen(&INBOX);
    for delay in others(N - 1) {
        work.at(Duration::from_ticks(delay.into()), black_box(answer)).unwrap();
    }
    work.schedule(Task::on(Signal::C, black_box(answer)).again()).unwrap();
    let mut bench = Bench;
    mean((0..ROUNDS).map(|_| {
        counter.ticks_until(|| {
            INBOX.trigger_event(black_box(Signal::C));
            let _ = black_box(work.poll(&mut bench));
        })
    }))
}

fn signal(counter: &Counter, rivals: &Async, tasks: usize) -> u64 {
    rivals.end();
    for task in 1..tasks {
        rivals.spawn(waiting(task as u64).unwrap());
    }
    rivals.spawn(answering().unwrap());
    mean((0..ROUNDS).map(|_| counter.ticks_until(|| rivals.signal_all(black_box(1)))))
}

#[embassy_executor::task]
async fn answering() {
    loop {
        SIGNALS[0].wait().await;
        Counter::mark();
        if !goes_on() {
            return;
        }
    }
}

#[embassy_executor::task(pool_size = 63)]
async fn waiting(task: u64) {
    Timer::at(embassy_time::Instant::from_ticks((1 << 39) + task)).await;
}

fn mean(ticks: impl Iterator<Item = u64>) -> u64 {
    instructions(ticks.sum::<u64>() / u64::from(ROUNDS))
}
