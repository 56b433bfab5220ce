//! A retained ring and a program that resets itself: after each store of its work once, and finds
//! its log again each time.

#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use ensue::ring::{Boot, Memory, Retained, RetainedRing};
use heapless::Vec;
use port::println;

const SIZE: usize = 40;

#[unsafe(link_section = ".uninit.LOG")]
static mut LOG: MaybeUninit<Retained<SIZE>> = MaybeUninit::uninit();

/// The program's own notes, one message: after how many stores the next reset comes.
#[unsafe(link_section = ".uninit.NOTES")]
static mut NOTES: MaybeUninit<Retained<32>> = MaybeUninit::uninit();

/// Ids both of whose bytes count: half of one is another one, which nobody put.
const A: u16 = 0x0105;
const B: u16 = 0x0206;
const C: u16 = 0x0307;

/// What may be found, by how far the work came.
const FOUND: [&[u16]; 4] = [&[A, B], &[A, B, C], &[A, C], &[C]];

#[port::entry]
fn main() -> ! {
    port::start(|| ());
    // SAFETY: nothing else names it, and this runs once after a reset.
    let log = Retained::adopt(unsafe { &mut *(&raw mut LOG) });
    // SAFETY: as above.
    let notes = Retained::adopt(unsafe { &mut *(&raw mut NOTES) });
    let (mut notes, _) = notes.open();
    let (mut ring, boot) = log.open();

    let stores = match boot {
        Boot::First => {
            println!("the retained ring of {}: first boot; type a line", port::NAME);
            while port::read() != Some(b'\n') {}
            notes.clear();
            0
        }
        Boot::Again(report) => {
            assert!(report.dropped == 0 && report.flaw.is_none(), "{report:?}");
            let ids: Vec<u16, 8> = ring.ids().collect();
            assert!(FOUND.contains(&&ids[..]), "found {ids:x?}");
            for message in ring.iter() {
                assert!(message == payload(message.id()), "{message:?}");
            }
            let noted = notes.get().and_then(|message| message.bytes().next());
            1 + noted.expect("noted before the reset")
        }
        other => panic!("{other:?}"),
    };
    notes.put(1, &[stores]).expect("there is room");

    ring.clear();
    for id in [A, B] {
        ring.put(id, payload(id)).expect("there is room");
    }
    let mut mortal = Mortal { memory: log, stores };
    let (mut ring, _) = RetainedRing::over(&mut mortal).expect("large enough");
    work(&mut ring);

    assert!(ring.ids().eq([C]));
    println!("reset after each of {stores} stores, and the log was there each time");
    port::exit(0)
}

fn work(ring: &mut RetainedRing<'_>) {
    ring.put(C, payload(C)).expect("there is room");
    ring.pull(B).expect("put before");
    ring.get().expect("put before");
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
        riscv::asm::wfi();
    }
}
