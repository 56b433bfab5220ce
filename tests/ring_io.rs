//! The feature `io`: a message is a stream of bytes to what reads and writes such streams.
#![cfg(feature = "io")]

use embedded_io::{BufRead, Error, ErrorKind, Read, Write};
use ensue::{PutError, Ring};

/// One message of six bytes, three before the end of the storage and three behind it.
fn wrapped() -> Ring<[u8; 16]> {
    let mut ring = Ring::new();
    ring.put(1, b"12345").unwrap();
    ring.get();
    let mut message = ring.reserve(7, 7).unwrap();
    write!(message, "a").unwrap();
    write!(message, "bc").unwrap();
    message.write_all(b"def").unwrap();
    message.flush().unwrap();
    message.commit().unwrap();
    ring
}

#[test]
fn a_message_is_read_as_a_stream() {
    let mut ring = wrapped();
    let message = ring.get().unwrap();
    assert!(message.as_contiguous().is_none());
    let (mut reader, mut buffer) = (message.reader(), [0; 4]);
    reader.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"abcd");
    assert_eq!(reader.read(&mut buffer), Ok(2));
    assert_eq!(&buffer[..2], b"ef");
    assert_eq!(reader.read(&mut buffer), Ok(0));
}

#[test]
fn a_message_is_read_where_it_lies() {
    let ring = wrapped();
    let mut reader = ring.peek().unwrap().reader();
    assert_eq!(reader.fill_buf(), Ok(&b"abc"[..]));
    reader.consume(2);
    assert_eq!(reader.fill_buf(), Ok(&b"c"[..]));
    reader.consume(1);
    assert_eq!(reader.fill_buf(), Ok(&b"def"[..]));
    reader.consume(3);
    assert_eq!(reader.fill_buf(), Ok(&b""[..]));
}

#[test]
fn what_does_not_fit_is_an_error_and_not_a_shorter_message() {
    let mut ring = Ring::<[u8; 16]>::new();
    let mut message = ring.reserve(7, 4).unwrap();
    message.write_all(b"abc").unwrap();
    let error = message.write_all(b"de").unwrap_err();
    assert_eq!((error, error.kind()), (PutError::Overrun { max: 4 }, ErrorKind::OutOfMemory));
    assert_eq!(message.commit(), Err(error));
    assert!(ring.is_empty());
}
