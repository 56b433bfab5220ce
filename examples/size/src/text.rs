//! What can be printed: for people the errors, the ids of tasks and messages; for programmers the rest.

use core::fmt::{self, Debug, Display, Write};
use core::hint::black_box;

use ensue::{
    AwaitError, Error, NoSuchTask, PutError, ScheduleError, SetRepeatError, TaskId, TooShort,
    TooSmall,
};

use crate::seen;

struct Out;

impl Write for Out {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        seen(text);
        black_box(Ok(()))
    }
}

pub fn call(id: TaskId) {
    print(id);
    print(NoSuchTask);
    print(ScheduleError::TableFull);
    print(SetRepeatError::NoSuchTask);
    print(AwaitError::NoSuchTask);
    print(Error::from(AwaitError::NoSuchTask));
    print(PutError::ReservedId);
    print(TooShort { needed: crate::unknown::<u8>().into() });
    print(TooSmall);
}

pub fn print(what: impl Display) {
    seen(write!(black_box(Out), "{}", black_box(what)));
}

/// Not of what holds a `&str`: `core` escapes it with code that keeps a panic.
pub fn debug(what: impl Debug) {
    seen(write!(black_box(Out), "{:?}", black_box(what)));
}
