//! Events, timers and messages for microcontrollers.
#![no_std]
#![deny(unsafe_code)]

#[cfg(any(test, feature = "std"))]
extern crate std;

pub use fugit::{self, ExtU64};

mod event;
mod fault;
mod inbox;
mod list;
mod repeat;
mod table;
mod task;
mod timeline;
mod view;
mod waiting;
mod work;

pub mod clock;
pub mod ring;
pub mod time;

pub use event::{Count, Event, Events};
pub use fault::{Fault, FaultKind, Outcome};
pub use inbox::{Full, Inbox};
pub use task::{
    AwaitError, Cause, Missed, NoSuchTask, Priority, Rejected, ScheduleError, SetRepeatError,
    State, Status, Task, TaskId,
};
pub use time::{Clock, Duration, Instant, Sleep};
pub use work::{App, Cx, Ended, Job, Next, Work};
