//! Nothing is logged: `log.rs` without its feature, and without a trace in the program.

use crate::{fault::Fault, task::TaskId, view::View, work::App};

#[inline(always)]
pub(crate) fn fault<A: App>(_: &Fault<'_, A>) {}

#[inline(always)]
pub(crate) fn missed<A: App>(_: View<'_, A>, _: TaskId, _: u32) {}

#[inline(always)]
pub(crate) fn refused(_: usize) {}
