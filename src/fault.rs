//! What a job may return, and what happens when it says that it failed.
//!
//! A failing job stops nobody: the fault is counted for its task, reported to
//! [`App::on_fault`], and a repeating task goes on.

use core::{convert::Infallible, fmt};

use crate::{task::TaskId, work::App};

/// What the jobs of an app return: `()` or `Result<(), E>`.
pub trait Outcome {
    /// What a failing job gives as its reason.
    type Error;

    /// `Err` when the job failed.
    fn into_result(self) -> Result<(), Self::Error>;
}

impl Outcome for () {
    type Error = Infallible;

    fn into_result(self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl<E> Outcome for Result<(), E> {
    type Error = E;

    fn into_result(self) -> Result<(), E> {
        self
    }
}

/// The error type of an app's jobs.
pub(crate) type ErrorOf<A> = <<A as App>::Outcome as Outcome>::Error;

/// A task's fault, as [`App::on_fault`] gets it.
#[non_exhaustive]
pub struct Fault<'a, A: App> {
    /// Whose fault it is. The task still exists; it may be cancelled here.
    pub task: TaskId,
    /// The task's name, if it has one.
    pub name: Option<&'static str>,
    /// What went wrong.
    pub kind: FaultKind<'a, ErrorOf<A>>,
    /// How many faults this task has had, this one included; it stays at 65,535.
    pub count: u16,
}

impl<A: App> fmt::Debug for Fault<'_, A>
where
    ErrorOf<A>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("task", &self.task)
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("count", &self.count)
            .finish()
    }
}

/// What went wrong in a [`Fault`].
#[derive(Debug)]
#[non_exhaustive]
pub enum FaultKind<'a, E> {
    /// The job returned `Err` with this.
    Failed(&'a E),
}
