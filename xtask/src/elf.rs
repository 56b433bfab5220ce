//! How much memory a program takes, and the code of its functions, as its ELF file says: 32 bits,
//! little-endian.

use std::fs;
use std::path::Path;

use crate::Result;

/// What a program takes before it runs, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    /// Code, constants, and the initial values of variables.
    pub flash: u32,
    /// Variables that are there for good. The stack comes on top.
    pub variables: u32,
}

impl Memory {
    /// Of the program in this file.
    pub fn of(path: &Path) -> Result<Self> {
        let file = fs::read(path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        Self::read(&file).ok_or_else(|| format!("{} is no ELF file of 32 bits", path.display()))
    }

    fn read(file: &[u8]) -> Option<Self> {
        const ALLOCATED: u32 = 1 << 1;
        const WITHOUT_BYTES: u32 = 8;
        let half = |at: usize| Some(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?));
        let word = |at: usize| Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?));
        if file.get(..6)? != b"\x7fELF\x01\x01" {
            return None;
        }
        let (table, size, count) = (word(32)? as usize, half(46)? as usize, half(48)?);
        let section = |index: u16| table + usize::from(index) * size;
        let names = word(section(half(50)?) + 16)? as usize;

        let mut memory = Self { flash: 0, variables: 0 };
        for at in (0..count).map(section) {
            let (kind, flags, length) = (word(at + 4)?, word(at + 8)?, word(at + 20)?);
            if flags & ALLOCATED == 0 {
                continue;
            }
            if kind != WITHOUT_BYTES {
                memory.flash += length;
            }
            // The room for a stack or a heap is a section as well, and no variable.
            let name = file.get(names + word(at)? as usize..)?.split(|byte| *byte == 0).next()?;
            if [b".data".as_slice(), b".bss", b".uninit"].contains(&name) {
                memory.variables += length;
            }
        }
        Some(memory)
    }
}

/// The code of the function with this name.
pub fn function(path: &Path, name: &str) -> Result<Vec<u8>> {
    let file =
        fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let code = code(&file, name).filter(|code| !code.is_empty());
    code.map(<[u8]>::to_vec).ok_or_else(|| format!("{} has no function {name}", path.display()))
}

fn code<'a>(file: &'a [u8], name: &str) -> Option<&'a [u8]> {
    const SYMBOLS: usize = 2;
    let half =
        |at: usize| Some(usize::from(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?)));
    let word =
        |at: usize| Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?) as usize);
    let (table, size, count) = (word(32)?, half(46)?, half(48)?);
    let section = |index: usize| table + index * size;
    let symbols = (0..count).map(section).find(|at| word(at + 4) == Some(SYMBOLS))?;
    let names = word(section(word(symbols + 24)?) + 16)?;
    let first = word(symbols + 16)?;
    for symbol in (first..first + word(symbols + 20)?).step_by(16) {
        let called = file.get(names + word(symbol)?..)?.split(|byte| *byte == 0).next()?;
        if called == name.as_bytes() {
            // Where its section begins, in memory and in the file.
            let inside = section(half(symbol + 14)?);
            let at = word(symbol + 4)? - word(inside + 12)? + word(inside + 16)?;
            return file.get(at..at + word(symbol + 8)?);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_elf_file_has_a_size() {
        assert_eq!(Memory::read(b"text"), None);
        assert_eq!(Memory::read(b"\x7fELF\x01\x01"), None);
        assert_eq!(code(b"\x7fELF\x01\x01", "main"), None);
    }

    #[test]
    fn sections_are_added_up_by_what_they_are() {
        let names = b"\0.text\0.data\0.bss\0.stack\0.debug\0";
        let sections: [(u8, u8, u8, u16); 6] = [
            (0, 3, 0, 0),   // the names
            (1, 1, 2, 200), // code
            (7, 1, 2, 30),  // variables with a value
            (13, 8, 2, 50), // variables without
            (18, 8, 2, 999),
            (25, 1, 0, 999),
        ];
        let mut file = vec![0; 52];
        file[..6].copy_from_slice(b"\x7fELF\x01\x01");
        file[32] = 52;
        file[46] = 40;
        file[48] = sections.len() as u8;
        for (name, kind, flags, length) in sections {
            let mut section = [0; 40];
            (section[0], section[4], section[8]) = (name, kind, flags);
            section[20..22].copy_from_slice(&length.to_le_bytes());
            file.extend(section);
        }
        let end = file.len() as u16;
        file[52 + 16..52 + 18].copy_from_slice(&end.to_le_bytes());
        file.extend(names);
        assert_eq!(Memory::read(&file), Some(Memory { flash: 230, variables: 80 }));
    }
}
