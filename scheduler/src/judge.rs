//! Who asks a task's own code.

use crate::Matchable;
use taskbay_core::{Metadata, Verdict};

/// Asks a task's own code, whichever way that is run. It is asked once for each signature and metadata.
pub trait Judge {
    /// Whether a worker that fulfils the task's conditions suits. That the plugin failed is a reason, too.
    ///
    /// # Errors
    ///
    /// When no plugin can be asked, for which none is to blame.
    fn judge(&mut self, task: &Matchable, worker: &Metadata) -> Result<Verdict, NotAsked>;
}

/// No plugin can be asked, for which none is to blame: somebody interrupted it, or the machine lacks something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no plugin can be asked: {0}")]
pub struct NotAsked(pub String);

/// Whether a worker suits: by the conditions, and where they hold by the task's own code, where it has some.
///
/// # Errors
///
/// When no plugin can be asked.
pub fn verdict(
    task: &Matchable,
    worker: &Metadata,
    judge: &mut dyn Judge,
) -> Result<Verdict, NotAsked> {
    let verdict = task.conditions().verdict(worker);
    if verdict.can_run() && task.has_own_code() {
        judge.judge(task, worker)
    } else {
        Ok(verdict)
    }
}

/// Judges by the conditions alone, for where no task has code of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conditional;

impl Judge for Conditional {
    fn judge(&mut self, task: &Matchable, worker: &Metadata) -> Result<Verdict, NotAsked> {
        Ok(task.conditions().verdict(worker))
    }
}
