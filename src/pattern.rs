//! Temporal patterns: small values for what is usually written by hand around a scheduler, and
//! wrong.
//!
//! Each is a few words of plain state. None reads a clock: it takes `now`, so it works in a job, in
//! an async task, in a driver or in a test, under any clock or none.

mod backoff;

pub use backoff::Backoff;
