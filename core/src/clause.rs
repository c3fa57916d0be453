//! One condition of a task, told by itself.

use crate::{ReasonCode, Requirement};

/// One of the [conditions](crate::Conditions), told by itself.
#[derive(Clone, Copy, Debug)]
pub enum Clause<'c> {
    /// The worker has the task, in whichever version.
    HasTask,
    /// If it has the task, then in the wanted version.
    HasVersion,
    /// Its type is of those that execute tasks.
    HasType,
    /// It fulfils a requirement.
    Requirement(&'c Requirement),
}

impl Clause<'_> {
    /// The code of the reason where it does not hold.
    pub fn code(self) -> ReasonCode {
        match self {
            Self::HasTask => ReasonCode::TaskMissing,
            Self::HasVersion => ReasonCode::VersionMismatch,
            Self::HasType => ReasonCode::WorkerType,
            Self::Requirement(_) => ReasonCode::Requirement,
        }
    }
}
