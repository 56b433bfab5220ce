//! A message as text, also where the end of the storage lies in the middle of a character.

use core::fmt::{self, Write};

use super::message::{Message, Reader};

impl<'a> Message<'a> {
    /// The payload as text, to be printed.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 16]>::new();
    /// ring.put_fmt(7, 8, format_args!("{} °C", 21))?;
    /// assert_eq!(ring.get().unwrap().text().to_string(), "21 °C");
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub fn text(&self) -> Text<'a> {
        Text(*self)
    }
}

/// A message's payload as text: see [`Message::text`].
///
/// What is not UTF-8 is shown as `\u{FFFD}`, as `String::from_utf8_lossy` does.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(Message<'a>);

/// UTF-8 needs at most so many bytes for a character.
const LONGEST: usize = 4;

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.reader();
        while let Some(chunk) = rest.next_piece().utf8_chunks().next() {
            let valid = chunk.valid();
            if valid.is_empty() {
                let (character, len) = next_character(&rest);
                f.write_char(character)?;
                rest.skip(len);
            } else {
                f.write_str(valid)?;
                rest.skip(valid.len());
            }
        }
        Ok(())
    }
}

/// The next character, wherever it goes on, and how many bytes it takes.
fn next_character(rest: &Reader<'_>) -> (char, usize) {
    let mut window = [0; LONGEST];
    let len = rest.clone().copy_next(&mut window);
    let chunk = window.get(..len).and_then(|window| window.utf8_chunks().next());
    match chunk.as_ref().and_then(|chunk| chunk.valid().chars().next()) {
        Some(character) => (character, character.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, chunk.map_or(len, |chunk| chunk.invalid().len())),
    }
}

#[cfg(test)]
mod tests {
    use std::{string::String, string::ToString, vec::Vec};

    use super::*;

    #[test]
    fn a_text_is_what_it_is_wherever_the_end_of_the_storage_cuts_it() {
        let texts: [&[u8]; 7] = [
            b"",
            b"21.5 C",
            "21 °C, 🜂 ±½".as_bytes(),
            b"\xC2",
            b"a\xE2\x82b\xFF\xF0\x9F\x9C",
            b"\xE2\x82\xAC\xE2\x82",
            b"\x80\x80\xC2\xC2\xB0",
        ];
        for bytes in texts {
            for cut in 0..=bytes.len() {
                let message = Message::new(1, bytes.split_at(cut));
                let message = if cut == 0 { Message::new(1, (bytes, &[])) } else { message };
                assert_eq!(message.text().to_string(), String::from_utf8_lossy(bytes), "at {cut}");
            }
        }
    }

    #[test]
    fn so_are_five_awkward_bytes_in_every_combination() {
        let awkward = [0x00, 0x7F, 0x80, 0xBF, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xFF];
        for word in 0..awkward.len().pow(5) {
            let digit = |place: u32| awkward[word / awkward.len().pow(place) % awkward.len()];
            let bytes: Vec<u8> = (0..5).map(digit).collect();
            let message = Message::new(1, bytes.split_at(2));
            assert_eq!(message.text().to_string(), String::from_utf8_lossy(&bytes), "{bytes:X?}");
        }
    }
}
