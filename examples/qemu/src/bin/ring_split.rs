//! A split ring: the serial port's interrupt writes, the main loop pulls.
//!
//! Each typed byte is a message, its kind the id. The main loop polls for the end of the line while
//! the bytes come, takes the digits out of the middle, and then what is left in order.

#![no_std]
#![no_main]

use core::cell::RefCell;

use critical_section::Mutex;
use ensue::ring::{RingReader, RingWriter, SplitRing};
use heapless::Vec;
use port::println;
use portable_atomic::{AtomicU32, Ordering};

const LETTER: u16 = 1;
const DIGIT: u16 = 2;
const END: u16 = 3;

static RING: SplitRing<512> = SplitRing::new();

/// The interrupt's half: nobody else takes it from here.
static WRITER: Mutex<RefCell<Option<RingWriter<'static>>>> = Mutex::new(RefCell::new(None));

/// How many bytes found the ring full.
static REFUSED: AtomicU32 = AtomicU32::new(0);

#[port::entry]
fn main() -> ! {
    let (writer, mut reader) = RING.split().expect("nobody has");
    assert!(RING.split().is_none(), "a second pair");
    critical_section::with(|cs| WRITER.borrow_ref_mut(cs).replace(writer));

    port::start(typed);
    println!("the split ring of {}", port::NAME);
    loop {
        // In the middle of this, again and again, comes the interrupt.
        while !reader.discard(END) {}
        let digits = take(&mut reader, |reader| reader.pull(DIGIT).and_then(only_byte));
        let letters = take(&mut reader, |reader| reader.get().and_then(only_byte));
        if digits.is_empty() && letters.is_empty() {
            break;
        }
        let text = |bytes| str::from_utf8(bytes).unwrap_or("no text");
        println!("digits {}, letters {}", text(&digits), text(&letters));
    }
    reader.release();
    println!("{} refused, {} used", REFUSED.load(Ordering::Relaxed), reader.used());
    port::exit(0)
}

/// The interrupt.
fn typed() {
    critical_section::with(|cs| {
        let mut writer = WRITER.borrow_ref_mut(cs);
        let writer = writer.as_mut().expect("put there before it starts");
        while let Some(byte) = port::read() {
            let id = match byte {
                b'\n' | b'\r' => END,
                b'0'..=b'9' => DIGIT,
                _ => LETTER,
            };
            if writer.put(id, &[byte]).is_err() {
                REFUSED.store(REFUSED.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            }
        }
    });
}

/// All that can be taken in one way.
fn take(
    reader: &mut RingReader<'static>,
    one: impl Fn(&mut RingReader<'static>) -> Option<u8>,
) -> Vec<u8, 64> {
    let mut bytes = Vec::new();
    while let Some(byte) = one(reader) {
        bytes.push(byte).expect("a line is short");
    }
    bytes
}

fn only_byte(message: ensue::Message<'_>) -> Option<u8> {
    assert!(message.len() == 1, "{message:?}");
    message.bytes().next()
}
