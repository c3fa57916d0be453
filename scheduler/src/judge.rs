//! Who asks a task's own code.

use crate::Matchable;
use taskbay_core::{Metadata, Verdict};

/// Asks a task's own code, whichever way that is run. It is asked once for each signature and metadata.
pub trait Judge {
    /// Whether a worker that fulfils the task's conditions suits. That it could not be asked is a reason, too.
    fn judge(&mut self, task: &Matchable, worker: &Metadata) -> Verdict;
}

/// Whether a worker suits: by the conditions, and where they hold by the task's own code, where it has some.
pub fn verdict(task: &Matchable, worker: &Metadata, judge: &mut dyn Judge) -> Verdict {
    let verdict = task.conditions().verdict(worker);
    if verdict.can_run() && task.has_own_code() {
        judge.judge(task, worker)
    } else {
        verdict
    }
}

/// Judges by the conditions alone, for where no task has code of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conditional;

impl Judge for Conditional {
    fn judge(&mut self, task: &Matchable, worker: &Metadata) -> Verdict {
        task.conditions().verdict(worker)
    }
}
