//! *ensue*, verb: to happen afterwards, or as a result.
//!
//! Two things that every microcontroller program needs, without a heap and without an operating
//! system:
//!
//! - [`Work`], a cooperative scheduler that makes time and cause explicit: *do this after 5 s*, *do
//!   that every 500 ms*, *when the button is pressed, do the other*.
//! - [`Ring`], a message buffer of exactly N bytes, whose messages are taken in order or by their
//!   id.
//!
//! # Where to begin
//!
//! An [`App`] is your own state, one value that every job gets as `&mut`. A [`Job`] is a plain
//! function. [`Work`] runs jobs as tasks, each named by a [`TaskId`]; what a task can say of when
//! and how it runs is in [`Task`], and what a job can do while it runs is in [`Cx`]. Events are the
//! values of an enum of yours ([`events!`]); interrupts leave them in an [`Inbox`]. Time comes from
//! a [`Clock`]. What people build most is on the page of [`recipes`].
//!
//! ```
//! use ensue::{App, Cx, Ended, ExtU64, Work, clock::Virtual};
//!
//! struct Node { beats: u32 }
//! impl App for Node { type Event = (); type Params = (); type Outcome = (); }
//!
//! fn heartbeat(node: &mut Node, cx: &mut Cx<Node>) {
//!     node.beats += 1;
//!     if node.beats == 3 {
//!         cx.abort_current_task();
//!     }
//! }
//!
//! let mut work = Work::<Node, _, 4>::new(Virtual::new());
//! work.repeat(500.millis(), heartbeat)?;
//! let mut node = Node { beats: 0 };
//! assert_eq!(work.start(&mut node), Ended::NoTasks);
//! assert_eq!(work.now().as_ticks(), 1_000_000); // microseconds
//! # Ok::<(), ensue::ScheduleError>(())
//! ```
//!
//! # Words
//!
//! - A task is *armed* when its next deadline is set, *due* when that has come, and *ready* when it
//!   will run at the next opportunity: because it is due, or because its event has come.
//! - A *pass* is one [`poll`](Work::poll): it runs what was ready when it began, by priority, then
//!   deadline, then the order of arming; what is armed meanwhile is for the next one.
//! - A task *listens* to an event from the moment it subscribes; a trigger *reaches* those who
//!   listen. Events are causes and not a queue: triggers that come before a listener's run are
//!   *merged* into it, and the newest params win. What must not be merged, such as bytes or
//!   commands, belongs into a queue beside the event.
//! - *Params* are what a task is run with, until newer ones come.
//!
//! # Promises
//!
//! - Nothing panics, nothing allocates, and no table operation masks interrupts.
//! - What is dropped is counted, and what could not be taken is handed back.
//! - The bytes of a [`Ring`] are laid out as documented there, and stay so.
//!
//! # Features
//!
//! None is on by default.
//!
//! - `std`: the clock of a computer, `clock::Std`.
//! - `bus`: several drivers on one I2C or SPI bus, the module `bus`.
//! - `io`: the messages of a ring as `embedded_io` streams: `Read` and `BufRead` for a
//!   [`ring::Reader`], `Write` for a [`ring::Reservation`].
//! - `defmt`: `defmt::Format` for every public type, and log lines where something fails or gets
//!   lost: faults with the names of their tasks, missed deadlines, params that an inbox refused.
//!   As defmt shows errors alone unless told otherwise, build with `DEFMT_LOG=ensue=warn`.
//!
//! Labels in the documentation mean the same everywhere: "Errors:" what can come back, "Cost:" how
//! the work grows, "Callable from:" main, or an interrupt too.
#![no_std]
#![deny(unsafe_code)]

#[cfg(any(test, loom, feature = "std"))]
extern crate std;

pub use fugit::{self, ExtU64};

mod error;
mod event;
mod fault;
mod inbox;
mod list;
#[cfg(feature = "defmt")]
mod log;
#[cfg(not(feature = "defmt"))]
#[path = "log/off.rs"]
mod log;
mod pass;
mod repeat;
mod sync;
mod table;
mod task;
mod timeline;
mod view;
mod waiting;
mod work;

#[cfg(feature = "bus")]
pub mod bus;
pub mod clock;
pub mod pattern;
#[cfg(any(doc, doctest))]
pub mod recipes;
pub mod ring;
pub mod time;

pub use error::{
    AwaitError, Error, NoSuchTask, Rejected, ScheduleError, SetRepeatError, WrongOption,
};
pub use event::{Count, Event, Events};
pub use fault::{Fault, FaultKind, Outcome};
pub use inbox::{Full, Inbox, Wake};
pub use ring::{Message, PutError, Ring, TooShort, TooSmall};
#[cfg(loom)]
#[doc(hidden)]
pub use sync::weaken;
pub use task::{Cause, Missed, Priority, State, Status, Task, TaskId};
pub use time::{Clock, Duration, Instant, Sleep};
pub use work::{App, Cx, Ended, Job, Next, Work};

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
