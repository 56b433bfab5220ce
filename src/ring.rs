//! The message ring.
