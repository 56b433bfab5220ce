//! placeholder
pub trait Counter {}
pub struct Extended;
