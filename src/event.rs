//! Events: the values of the app's own enum, each the name of a cause.
//!
//! The scheduler knows an event by its number. [`events!`](crate::events) writes the enum and the
//! four lines that number it; by hand they are as short:
//!
//! ```
//! use ensue::{Event, Events};
//!
//! #[derive(Clone, Copy, PartialEq, Debug)]
//! enum Signal {
//!     Button,
//!     Sampled,
//! }
//!
//! impl Event for Signal {
//!     type Count = Events<2>;
//!     fn index(self) -> usize {
//!         self as usize
//!     }
//!     fn from_index(index: usize) -> Option<Self> {
//!         [Signal::Button, Signal::Sampled].get(index).copied()
//!     }
//! }
//! assert_eq!(Signal::from_index(Signal::Sampled.index()), Some(Signal::Sampled));
//! ```

use crate::{sync::AtomicBool, waiting::Listeners};

/// A type of up to 256 values that name what can happen.
///
/// [`events!`](crate::events) declares one. `()` is one as well, for an app that needs no events:
/// it has the single event `()`.
pub trait Event: Copy + 'static {
    /// How many there are: `Events<N>`.
    type Count: Count;

    /// The number of this one, below the count. One that is not is heard by nobody.
    fn index(self) -> usize;

    /// The event that has this number.
    fn from_index(index: usize) -> Option<Self>;
}

impl Event for () {
    type Count = Events<1>;

    fn index(self) -> usize {
        0
    }

    fn from_index(index: usize) -> Option<Self> {
        (index == 0).then_some(())
    }
}

/// For an app that has no events at all: what has to do with them takes no flash then.
impl Event for core::convert::Infallible {
    type Count = Events<0>;

    fn index(self) -> usize {
        match self {}
    }

    fn from_index(_: usize) -> Option<Self> {
        None
    }
}

/// "This many events": the [`Count`] of an [`Event`] type. More than 256 do not compile.
#[derive(Debug)]
pub struct Events<const N: usize>;

/// How many events a type has, and what must be kept for each. Only [`Events`] implements it.
pub trait Count: sealed::PerEvent {}

impl<const N: usize> Count for Events<N> {}

pub(crate) mod sealed {
    use super::*;

    pub trait PerEvent {
        type Listeners: AsRef<[Listeners]> + AsMut<[Listeners]>;
        type Flags: AsRef<[AtomicBool]> + Sync + 'static;
        /// Whether there are any.
        const ANY: bool;
        const NO_LISTENERS: Self::Listeners;
        const NO_FLAGS: Self::Flags;
    }

    impl<const N: usize> PerEvent for Events<N> {
        type Listeners = [Listeners; N];
        type Flags = [AtomicBool; N];
        const ANY: bool = N > 0;
        const NO_LISTENERS: Self::Listeners = {
            assert!(N <= 256, "an app has at most 256 events");
            [Listeners::NONE; N]
        };
        // Each use makes flags of its own, which is the point.
        #[allow(clippy::declare_interior_mutable_const)]
        const NO_FLAGS: Self::Flags = {
            assert!(N <= 256, "an app has at most 256 events");
            [const { AtomicBool::new(false) }; N]
        };
    }
}

pub(crate) type ListenersOf<E> = <<E as Event>::Count as sealed::PerEvent>::Listeners;
pub(crate) type FlagsOf<E> = <<E as Event>::Count as sealed::PerEvent>::Flags;

/// Declares an enum of [events](Event).
///
/// It derives `Clone`, `Copy`, `PartialEq`, `Eq` and `Debug`, and numbers the values in the order
/// in which they stand; that is also the order in which events from interrupts are handed out.
/// Each value has a `name()`, for consoles and logs.
///
/// The values carry nothing. What an event brings are the app's [`Params`](crate::App::Params), which
/// are one type for all of them: an enum, where they differ.
///
/// ```
/// ensue::events! {
///     /// What can happen to the door.
///     pub enum Signal {
///         /// Somebody rings.
///         Bell,
///         Opened,
///     }
/// }
/// use ensue::Event;
/// assert_eq!(Signal::Opened.index(), 1);
/// assert_eq!(Signal::Opened.name(), "Opened");
/// ```
///
/// More than 256 values do not compile:
///
/// ```compile_fail,E0080
/// # use ensue::{App, Event, Events, Work, clock::Virtual};
/// # #[derive(Clone, Copy)] struct Many;
/// impl Event for Many {
///     type Count = Events<257>;
/// #   fn index(self) -> usize { 0 }
/// #   fn from_index(_: usize) -> Option<Self> { None }
/// }
/// # struct Node;
/// # impl App for Node { type Event = Many; type Params = (); type Outcome = (); }
/// let work = Work::<Node, _, 1>::new(Virtual::new());
/// ```
#[macro_export]
macro_rules! events {
    ($(#[$meta:meta])* $visibility:vis enum $name:ident {
        $($(#[$value_meta:meta])* $value:ident),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        $visibility enum $name {
            $($(#[$value_meta])* $value),+
        }

        #[allow(dead_code)]
        impl $name {
            /// The name of this event, as it is written in the program.
            $visibility const fn name(self) -> &'static str {
                match self {
                    $($name::$value => ::core::stringify!($value)),+
                }
            }
        }

        impl $crate::Event for $name {
            type Count = $crate::Events<{ [$($name::$value),+].len() }>;

            fn index(self) -> usize {
                self as usize
            }

            fn from_index(index: usize) -> ::core::option::Option<Self> {
                [$($name::$value),+].get(index).copied()
            }
        }
    };
}
