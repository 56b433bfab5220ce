//! A split ring: the serial port's interrupt writes, the main loop pulls at the same time.
//!
//! Each typed byte is a message, its kind the id. While the bytes of a line come, the main loop takes
//! the digits out of the middle, and polls for the end of the line; then it takes what is left in
//! order. The ring is shorter than what goes through it: it wraps several times.

#![no_std]
#![no_main]

use core::cell::RefCell;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use critical_section::Mutex;
use ensue::ring::{RingWriter, SplitRing};
use heapless::Vec;
use port::println;

const LETTER: u16 = 1;
const DIGIT: u16 = 2;
const END: u16 = 3;

static RING: SplitRing<331> = SplitRing::new();

/// The interrupt's half: nobody else takes it from here.
static WRITER: Mutex<RefCell<Option<RingWriter<'static>>>> = Mutex::new(RefCell::new(None));

/// How many bytes found the ring full.
static REFUSED: AtomicU32 = AtomicU32::new(0);

/// Whether the main loop is in the middle of an operation, and how often a byte came then.
static TAKING: AtomicBool = AtomicBool::new(false);
static MEANWHILE: AtomicU32 = AtomicU32::new(0);

#[port::entry]
fn main() -> ! {
    let (writer, mut reader) = RING.split().expect("nobody has");
    assert!(RING.split().is_none(), "a second pair");
    critical_section::with(|cs| WRITER.borrow_ref_mut(cs).replace(writer));

    port::start(typed);
    println!("the split ring of {}", port::NAME);
    loop {
        let mut digits = Vec::<u8, 64>::new();
        let mut is_over = false;
        while !is_over {
            TAKING.store(true, Ordering::Relaxed);
            // The end is looked for first: what came before it is there then.
            is_over = reader.discard(END);
            while let Some(digit) = reader.pull(DIGIT).and_then(only_byte) {
                digits.push(digit).expect("a line is short");
            }
            TAKING.store(false, Ordering::Relaxed);
        }
        let mut letters = Vec::<u8, 64>::new();
        while let Some(letter) = reader.get().and_then(only_byte) {
            letters.push(letter).expect("a line is short");
        }
        if digits.is_empty() && letters.is_empty() {
            break;
        }
        let text = |bytes| str::from_utf8(bytes).unwrap_or("no text");
        println!("digits {}, letters {}", text(&digits), text(&letters));
    }
    reader.release();
    let meanwhile = MEANWHILE.load(Ordering::Relaxed);
    assert!(meanwhile > 0, "the interrupt never came in the middle");
    println!("{meanwhile} came while the main loop was taking");
    println!("{} refused, {} used", REFUSED.load(Ordering::Relaxed), reader.used());
    port::exit(0)
}

/// The interrupt.
fn typed() {
    let was_taking = TAKING.load(Ordering::Relaxed);
    critical_section::with(|cs| {
        let mut writer = WRITER.borrow_ref_mut(cs);
        let writer = writer.as_mut().expect("put there before it starts");
        while let Some(byte) = port::read() {
            let id = match byte {
                b'\n' | b'\r' => END,
                b'0'..=b'9' => DIGIT,
                _ => LETTER,
            };
            let counter = if writer.put(id, &[byte]).is_err() {
                &REFUSED
            } else if was_taking {
                &MEANWHILE
            } else {
                continue;
            };
            counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    });
}

fn only_byte(message: ensue::Message<'_>) -> Option<u8> {
    assert!(message.len() == 1, "{message:?}");
    message.bytes().next()
}
