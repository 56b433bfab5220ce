//! `decode PROGRAM LOG`: prints a log, a line each, with its level and without its time.
//!
//! A log in defmt has no texts: they are in the program that has written it.

use std::error::Error;
use std::{env, fs};

use defmt_decoder::{DecodeError, Table};

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<_> = env::args_os().skip(1).collect();
    let [program, log] = paths.as_slice() else { return Err("decode PROGRAM LOG".into()) };
    let table = Table::parse(&fs::read(program)?)?.ok_or("the program logs nothing with defmt")?;
    let log = fs::read(log)?;

    let mut decoder = table.new_stream_decoder();
    decoder.received(&log);
    loop {
        match decoder.decode() {
            Ok(frame) => {
                let level = frame.level().map_or("print", |level| level.as_str());
                println!("{level}: {}", frame.display_message());
            }
            Err(DecodeError::UnexpectedEof) => return Ok(()),
            Err(DecodeError::Malformed) => return Err("the log is damaged".into()),
        }
    }
}
