//! The ring beside its rivals: put and get, pull, and what a pull takes for each message it passes.
#![no_std]
#![no_main]

#[path = "../../../ring/rivals.rs"]
mod rivals;

use core::hint::black_box;

use bbqueue::traits::coordination::cs::CsCoord;
use cortex_m_rt::entry;
use cortex_m_semihosting::{
    debug::{self, EXIT_SUCCESS},
    hprint, hprintln,
};
use ensue::Ring;
use ensue_bench_qemu::{Counter, known_loop};
use panic_semihosting as _;
use rivals::{ByteDeque, Copies, Ensue, Fifo, Ringbuf, Slots, Spsc, Turn, payload, seen};

/// On one core its critical sections are cheaper than its atomics.
type Bbqueue = rivals::Bbqueue<CsCoord>;

#[entry]
fn main() -> ! {
    let counter = Calibrated::new(Counter::new(cortex_m::Peripherals::take().unwrap().SYST));
    let c = &counter;
    hprintln!(
        "A loop of 20000 instructions, and its call: {}",
        c.instructions(|| known_loop(10_000))
    );

    hprintln!("\nPut and get, one more message waiting, {} bytes of storage", rivals::BYTES);
    for copied in [true, false] {
        let how = if copied { "copied in and out" } else { "copied in, read in place" };
        hprint!("{:36}", how);
        for bytes in ["4", "32", "127", "128", "256", "1024"] {
            hprint!("{:>7}", bytes);
        }
        hprintln!();
        let mut table = Table { counter: c, copied, checksums: None };
        table.row::<Ensue, Ensue, Ensue, Ensue, Ensue, Ensue>("ensue");
        table.row::<Bbqueue, Bbqueue, Bbqueue, Bbqueue, Bbqueue, Bbqueue>("bbqueue, framed");
        table.row::<Spsc<4>, Spsc<32>, Spsc<127>, Spsc<128>, Spsc<256>, Spsc<1024>>(
            "heapless spsc of fixed arrays",
        );
        table.row::<ByteDeque, ByteDeque, ByteDeque, ByteDeque, ByteDeque, ByteDeque>(
            "heapless Deque<u8>, header by hand",
        );
        table
            .row::<Ringbuf, Ringbuf, Ringbuf, Ringbuf, Ringbuf, Ringbuf>("ringbuf, header by hand");
        table.row::<Copies<4>, Copies<32>, Copies<127>, Copies<128>, Copies<256>, Copies<1024>>(
            "the copies alone",
        );
    }

    hprintln!("\nPull one of 64 messages of 32 bytes, put it back last");
    let mut row = {
        let mut sum = None;
        move |name, (instructions, checksum): (u32, u32)| {
            assert_eq!(*sum.get_or_insert(checksum), checksum, "{name} did other work");
            hprintln!("{:36}{:7}", name, instructions);
        }
    };
    row("ensue, all compaction included", pull::<Ensue>(c));
    row("heapless Vec of fixed slots", pull::<Slots>(c));
    row("bbqueue, turned once around", pull::<Bbqueue>(c));
    row("ringbuf, turned once around", pull::<Ringbuf>(c));

    hprintln!("\nPull: for each message passed over, looking for another one");
    hprintln!("{:36}{:>7}", "ensue", per_message(c));

    hprintln!("\nRAM beside the bytes");
    hprintln!("{:36}{:7}", "plain", size_of_val(&Ring::<[u8; 64]>::new()) - 64);
    hprintln!("{:36}{:7}", "tracked", size_of_val(&Ring::<[u8; 64], _>::tracked()) - 64);
    hprintln!("{:36}{:7}", "bbqueue", size_of::<bbqueue::nicknames::Jerk<64>>() - 64);
    hprintln!("{:36}{:7}", "heapless Deque<u8>", size_of::<heapless::Deque<u8, 64>>() - 64);

    debug::exit(EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}

/// Counts instructions, whatever the board's SysTick runs at.
struct Calibrated {
    counter: Counter,
    /// Ticks of a million instructions.
    million: u64,
}

impl Calibrated {
    fn new(counter: Counter) -> Self {
        Self { counter, million: counter.ticks(|| known_loop(500_000)) }
    }

    fn ticks(&self, f: impl FnOnce()) -> u64 {
        self.counter.ticks(f)
    }

    fn to_instructions(&self, ticks: u64) -> u32 {
        ((ticks * 1_000_000 + self.million / 2) / self.million) as u32
    }

    fn instructions(&self, f: impl FnOnce()) -> u32 {
        self.to_instructions(self.ticks(f))
    }
}

const ROUNDS: u16 = 1000;

/// What a row has to come to, for each length.
struct Table<'c> {
    counter: &'c Calibrated,
    copied: bool,
    checksums: Option<[u32; 6]>,
}

impl Table<'_> {
    fn row<A, B, C, D, E, F>(&mut self, name: &str)
    where
        A: Fifo<4>,
        B: Fifo<32>,
        C: Fifo<127>,
        D: Fifo<128>,
        E: Fifo<256>,
        F: Fifo<1024>,
    {
        let put_and_get = [
            self.put_and_get::<A, 4>(),
            self.put_and_get::<B, 32>(),
            self.put_and_get::<C, 127>(),
            self.put_and_get::<D, 128>(),
            self.put_and_get::<E, 256>(),
            self.put_and_get::<F, 1024>(),
        ];
        let checksums = put_and_get.map(|(_, checksum)| checksum);
        assert_eq!(*self.checksums.get_or_insert(checksums), checksums, "{name} did other work");
        hprint!("{:36}", name);
        for (instructions, _) in put_and_get {
            hprint!("{:7}", instructions);
        }
        hprintln!();
    }

    fn put_and_get<F: Fifo<N>, const N: usize>(&self) -> (u32, u32) {
        if self.copied { self.copy::<F, N>() } else { self.read_in_place::<F, N>() }
    }

    #[inline(never)]
    fn copy<F: Fifo<N>, const N: usize>(&self) -> (u32, u32) {
        let (mut queue, payload, mut out) = (F::new(), payload::<N>(), [0; N]);
        queue.put(ROUNDS, &payload);
        let mut sum = 0;
        let ticks = (1..=ROUNDS).map(|id| {
            let mut got = (0, 0);
            let ticks = self.counter.ticks(|| {
                queue.put(black_box(id), black_box(&payload[..]));
                got = queue.get(black_box(&mut out));
            });
            sum += seen(got.0, &out[..got.1]);
            ticks
        });
        (self.per_round(ticks.sum()), sum)
    }

    #[inline(never)]
    fn read_in_place<F: Fifo<N>, const N: usize>(&self) -> (u32, u32) {
        let (mut queue, payload) = (F::new(), payload::<N>());
        queue.put(ROUNDS, &payload);
        let mut sum = 0;
        let ticks = (1..=ROUNDS).map(|id| {
            self.counter.ticks(|| {
                queue.put(black_box(id), black_box(&payload[..]));
                sum += queue.get_in_place();
            })
        });
        (self.per_round(ticks.sum()), sum)
    }

    fn per_round(&self, ticks: u64) -> u32 {
        self.counter.to_instructions(ticks / u64::from(ROUNDS))
    }
}

#[inline(never)]
fn pull<T: Turn>(counter: &Calibrated) -> (u32, u32) {
    let mut queue = T::new();
    for id in 1..=64 {
        queue.push(id, &[id as u8; 32]);
    }
    let (mut random, mut sum, mut ticks) = (12_345_u32, 0, 0);
    for _ in 0..ROUNDS {
        random = random.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let id = (random >> 16) as u16 % 64 + 1;
        let mut payload = [0; 32];
        ticks += counter.ticks(|| {
            payload = queue.pull(black_box(id));
            queue.push(black_box(id), &payload);
        });
        sum += seen(id, &payload);
    }
    // The order is part of the work, so it is part of the checksum.
    for place in 1..=64 {
        let (id, payload) = queue.pop();
        sum += place * u32::from(id);
        queue.push(id, &payload);
    }
    (counter.to_instructions(ticks / u64::from(ROUNDS)), sum)
}

/// The difference between two lengths of the queue, so that the call itself does not count.
#[inline(never)]
fn per_message(counter: &Calibrated) -> u32 {
    let mut ring = Ring::<[u8; 1024]>::new();
    let mut search = |messages: u16| {
        while ring.message_count() < usize::from(messages) {
            ring.put(1, &[0; 4]).unwrap();
        }
        assert!(ring.pull(2).is_none());
        counter.ticks(|| {
            black_box(ring.pull(black_box(2)));
        })
    };
    let (few, many) = (search(8), search(108));
    counter.to_instructions(many - few) / 100
}
