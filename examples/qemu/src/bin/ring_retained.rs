//! A retained ring and a program that resets its chip in the middle of ring operations, and finds
//! its log again each time.
//!
//! First before each store of its work in turn: the memory is one that resets the chip instead of
//! storing. Then at any instruction: an alarm's interrupt does it, while the ring is written to as
//! fast as it goes. It is the chip's own reset, which start-up code follows; what the program still
//! has to know afterwards is in a second retained ring.

#![no_std]
#![no_main]

use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};

use ensue::ring::{Boot, Memory, Retained, RetainedRing};
use heapless::Vec;
use port::println;

const SIZE: usize = 40;

#[unsafe(link_section = ".uninit.LOG")]
static mut LOG: MaybeUninit<Retained<SIZE>> = MaybeUninit::uninit();

/// The program's own notes, one message.
#[unsafe(link_section = ".uninit.NOTES")]
static mut NOTES: MaybeUninit<Retained<32>> = MaybeUninit::uninit();

/// Start-up code sets it back.
static RUNNING: AtomicBool = AtomicBool::new(false);

#[port::entry]
fn main() -> ! {
    port::start(|| ());
    assert!(!RUNNING.load(Ordering::Relaxed), "start-up code has not run: this is no reset");
    RUNNING.store(true, Ordering::Relaxed);
    let (log, notes) = (&raw mut LOG, &raw mut NOTES);
    // SAFETY: nothing else names them, and this runs once after a reset.
    let (log, notes) = unsafe { (&mut *log, &mut *notes) };
    let (log, notes) = (Retained::adopt(log), Retained::adopt(notes));
    let (mut notes, noted) = notes.open();
    let is_torn = is_torn(log);
    let (ring, boot) = log.open();

    let note = match boot {
        Boot::First => {
            println!("the retained ring of {}: first boot", port::NAME);
            notes.clear();
            Note::default()
        }
        Boot::Again(report) => {
            assert!(matches!(noted, Boot::Again(_)), "{noted:?}");
            assert!(report.dropped == 0 && report.flaw.is_none(), "{report:?}");
            let mut note = Note::take(&mut notes);
            note.resets += 1;
            note.torn += u8::from(is_torn);
            note
        }
        other => panic!("{other:?}"),
    };
    if note.stores < STORES {
        before_each_store(log, &mut notes, note);
    }
    at_any_instruction(ring, &mut notes, note)
}

/// What the program remembers over a reset.
#[derive(Clone, Copy, Default)]
struct Note {
    resets: u8,
    /// How many of them left something half done.
    torn: u8,
    /// Before which store the last one came.
    stores: u8,
    /// How far the work was when it came.
    found: u8,
}

impl Note {
    fn take(notes: &mut RetainedRing<'_>) -> Self {
        let message = notes.get().expect("noted before the reset");
        let mut bytes = message.bytes();
        let mut next = || bytes.next().expect("four bytes");
        Self { resets: next(), torn: next(), stores: next(), found: next() }
    }

    fn put(self, notes: &mut RetainedRing<'_>) {
        notes.put(1, &[self.resets, self.torn, self.stores, self.found]).expect("there is room");
    }
}

/// Whether a position disagrees with its complement, or a deletion has begun.
fn is_torn(memory: &impl Memory) -> bool {
    let is_pair = |at| memory.word(at) == !memory.word(at + 1);
    !is_pair(2) || !is_pair(4) || !is_pair(6) || memory.word(6) != u32::MAX
}

/// Ids both of whose bytes count: half of one is another one, which nobody put.
const A: u16 = 0x0105;
const B: u16 = 0x0206;
const C: u16 = 0x0307;

/// What is found one after the other, the further the work came.
const FOUND: [&[u16]; 4] = [&[A, B], &[A, B, C], &[A, C], &[C]];

/// How many stores the work makes: 4 + 5 bytes and a pair of words for the put, two pairs and two
/// bytes for the pull, a pair for the get.
const STORES: u8 = 11 + 6 + 2;

fn before_each_store(log: &mut Retained<SIZE>, notes: &mut RetainedRing<'_>, mut note: Note) -> ! {
    let (mut ring, _) = log.open();
    if note.resets == 0 {
        note.put(notes);
    } else {
        let ids: Vec<u16, 8> = ring.ids().collect();
        let found = FOUND.iter().position(|found| *found == ids);
        let found = found.unwrap_or_else(|| panic!("found {ids:x?}")) as u8;
        for message in ring.iter() {
            assert!(message == payload(message.id()), "{message:?}");
        }
        assert!(found == note.found || found == note.found + 1, "{found} after {}", note.found);
        note.found = found;
        note.stores += 1;
        if note.stores == STORES {
            assert!(usize::from(note.found) == FOUND.len() - 1, "the last store was not reached");
            println!("reset before each of {STORES} stores, {} times in the middle", note.torn);
            // What follows begins with a ring of its own, after a reset of its own.
            ring.clear();
            note.torn = 0;
            note.put(notes);
            reset();
        }
        note.put(notes);
    }
    ring.clear();
    for id in [A, B] {
        ring.put(id, payload(id)).expect("there is room");
    }
    let mut mortal = Mortal { memory: log, stores: note.stores };
    let (mut ring, _) = RetainedRing::over(&mut mortal).expect("large enough");
    ring.put(C, payload(C)).expect("there is room");
    ring.pull(B).expect("put before");
    ring.get().expect("put before");
    panic!("it took no more than {} stores", note.stores);
}

fn payload(id: u16) -> &'static [u8] {
    match id {
        A => b"first",
        B => b"second",
        C => b"third",
        _ => b"nobody put this",
    }
}

/// Memory that resets the chip instead of storing, after so many stores.
struct Mortal<'m> {
    memory: &'m mut Retained<SIZE>,
    stores: u8,
}

impl Mortal<'_> {
    fn live(&mut self) {
        match self.stores.checked_sub(1) {
            Some(left) => self.stores = left,
            None => reset(),
        }
    }
}

impl Memory for Mortal<'_> {
    fn word(&self, index: usize) -> u32 {
        self.memory.word(index)
    }

    fn store_word(&mut self, index: usize, word: u32) {
        self.live();
        self.memory.store_word(index, word);
    }

    fn bytes(&self) -> &[u8] {
        self.memory.bytes()
    }

    fn store_bytes(&mut self, at: usize, bytes: &[u8]) {
        for (at, byte) in (at..).zip(bytes) {
            self.live();
            self.memory.store_bytes(at, &[*byte]);
        }
    }
}

/// How many resets the alarm makes, each a few instructions later than the one before.
const ALARMS: u8 = 100;

fn at_any_instruction(mut ring: RetainedRing<'_>, notes: &mut RetainedRing<'_>, note: Note) -> ! {
    let alarms = note.resets - STORES - 1;
    let mut last = None;
    for message in ring.iter() {
        let number = message.id() / ID - 1;
        let is_next = last.is_none_or(|last| (1..=2).contains(&((number + TURN - last) % TURN)));
        assert!(message.id() % ID == 0 && is_next, "{:x?} after {last:?}", message.id());
        assert!(message == numbered(&mut [0; 8], number), "{message:?}");
        last = Some(number);
    }
    assert!(alarms == 0 || last.is_some(), "an empty log");
    if alarms == ALARMS {
        println!("reset by {ALARMS} alarms, {} times in the middle", note.torn);
        port::exit(0);
    }
    note.put(notes);

    port::on_alarm(|| reset());
    port::set_alarm(2_000 + 23 * u32::from(alarms));
    let mut number = last.map_or(0, |last| (last + 1) % TURN);
    loop {
        let evicted = ring.put_evicting(ID * (number + 1), numbered(&mut [0; 8], number));
        assert!(evicted.is_ok(), "{evicted:?}");
        if number % 3 == 2 {
            ring.pull(ID * number);
        }
        number = (number + 1) % TURN;
    }
}

/// So many numbers, and then from the beginning.
const TURN: u16 = 200;

/// Ids are multiples of this: half of one is none.
const ID: u16 = 0x0101;

fn numbered(buffer: &mut [u8; 8], number: u16) -> &[u8] {
    let len = 1 + usize::from(number % 7);
    buffer.fill(number as u8 ^ 0x55);
    &buffer[..len]
}

#[cfg(target_arch = "arm")]
fn reset() -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}

#[cfg(target_arch = "riscv32")]
fn reset() -> ! {
    const FINISHER: *mut u32 = 0x0010_0000 as *mut u32;
    const RESET: u32 = 0x7777;
    // SAFETY: the board's memory map has the test finisher there.
    unsafe { FINISHER.write_volatile(RESET) };
    loop {
        core::hint::spin_loop();
    }
}
