//! Atomics and critical sections, chosen in one place, and the four fences on which an inbox rests.
//!
//! All that an interrupt and the main loop share are bytes that are loaded and stored: no
//! compare-and-swap, and each access relaxed. What is ordered is ordered by sequentially consistent
//! fences, in two pairs:
//!
//! ```text
//!    interrupt, other core                     main
//!
//!    writes what it has to say                 arrived?  then  arrived = false
//!  Said ─────────────────────                Asked ────────────────────────────
//!    flag = true                               flag?     then  flag = false, of each
//!  Raised ───────────────────                Taken ────────────────────────────
//!    arrived = true                            jobs run
//! ```
//!
//! **`Raised` and `Asked`: no trigger is lost.** Suppose main overwrites an `arrived = true` that it
//! has not seen: then `Raised` comes before `Asked` in the one order that all such fences have, and
//! main sees the flag. With anything weaker both may happen, an announcement overwritten and a flag
//! not seen yet.
//!
//! **`Said` and `Taken`: what was written before the trigger is there when the job runs.** Release
//! and acquire on the flag would say so only of the trigger whose store main has read. But flags
//! coalesce: main may read one trigger's store and overwrite that of the next, or read that of the
//! second core while the first core's lies below it. Fences on both sides cover all of them: a store
//! of `true` that came before main's `false` has its `Said` before main's `Taken`. The memory model
//! says what follows for atomics; other memory it leaves out when nobody has read the store, though
//! no chip's fence makes that difference. An interrupt that triggers again before it was answered
//! races with the job for such memory anyway, and needs a lock or atomics around it.
//!
//! Params need none of this: a lock is around them, and it orders what is before and after it. They
//! are announced by a byte of their own, `queued`: it is set after the params are in, and cleared
//! before they are looked for. Suppose main overwrites a `queued = true` that it has not seen: then
//! main's lock comes after the interrupt's, and it finds the params; with main's first, its `false`
//! would happen before that `true` and could not overwrite it. In one byte with `arrived` they would
//! need `Raised`; and without a byte main would take the lock in vain for each flag.
//!
//! Nor does the test by which a loop decides to sleep need anything: whatever it sees, a pass asks
//! again.
//!
//! The atomics are `core`'s, which has them for every Cortex-M, RISC-V and Xtensa core. A crate that
//! makes up for what others lack (MSP430; AVR has none of 32 bits) would turn each store into a
//! critical section wherever the program has told it to, and no trigger could come from above the
//! mask any more; `tests/choices` shows that here nothing depends on what a program tells.
//!
//! On Cortex-M each fence is a `dmb`, as a release store would have, so that they cost no more.
//! `tests/inbox_loom.rs` shows that they are enough, and that each of them is needed.

#[cfg_attr(loom, path = "sync/modelled.rs")]
#[cfg_attr(not(loom), path = "sync/real.rs")]
mod variant;

pub(crate) use variant::{AtomicBool, Ordering, fence, with};

#[cfg(loom)]
pub use variant::weaken;

/// The fences by their names in the drawing above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fence {
    /// In a trigger, before the flag.
    Said,
    /// In a trigger, between the flag and `arrived`.
    Raised,
    /// In a pass, between `arrived` and the flags.
    Asked,
    /// In a pass, after each flag that was raised.
    Taken,
}
