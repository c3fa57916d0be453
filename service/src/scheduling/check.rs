//! Whether the signatures that requests have are those that today's plugins give: one may have been replaced while no
//! scheduler ran.

use super::{BATCH, LONG, Scheduling, Setback};
use crate::Stop;
use std::{collections::BTreeSet, time::Instant};
use taskbay_core::TaskName;
use taskbay_engine::{EngineError, PendingSignature};
use taskbay_worker::Unmatchable;

/// How far a look at all signatures has come.
#[derive(Debug, Default)]
pub(super) struct Check {
    /// The number of the last one that was looked at.
    after: i64,
    pub(super) is_done: bool,
    /// The tasks whose plugins could not be asked.
    silent: BTreeSet<TaskName>,
    /// Whether those are to be looked at once more after this.
    is_to_repeat: bool,
    /// The tasks that are looked at; none where all are.
    only: Option<BTreeSet<TaskName>>,
}

impl Check {
    /// It is time to ask those again that could not be asked.
    pub(super) fn repeat(&mut self) {
        self.is_to_repeat = true;
    }

    /// Begins anew, if there is a reason to.
    fn renew(&mut self) {
        if self.is_done && self.is_to_repeat && !self.silent.is_empty() {
            *self = Self {
                only: Some(std::mem::take(&mut self.silent)),
                ..Self::default()
            };
        }
    }

    fn concerns(&self, task: &TaskName) -> bool {
        let is_meant = self.only.as_ref().is_none_or(|only| only.contains(task));
        is_meant && !self.silent.contains(task)
    }
}

impl Scheduling<'_> {
    /// Finds out of some signatures that requests have whether the plugins give them now. The requests of tasks of which
    /// that is not so are configured anew. Says whether there may be more.
    pub(super) fn check_signatures(&mut self, stop: &Stop) -> Result<bool, Setback> {
        self.check.renew();
        if self.check.is_done {
            return Ok(false);
        }
        let pending = self.engine.pending_signatures(self.check.after, BATCH)?;
        let begun = Instant::now();
        if pending.is_empty() {
            self.check.is_done = true;
            return Ok(self.check.is_to_repeat);
        }
        for signature in pending {
            if stop.is_told() || begun.elapsed() >= LONG {
                return Ok(true);
            }
            // One plugin that hangs after another takes long, and is no fault of the scheduler's.
            self.part.beats();
            let task = &signature.task_name;
            if self.check.concerns(task)
                && !self.to_unsign.contains(task)
                && self.is_outdated(&signature)?
            {
                self.engine.unsign_signature(&signature.key)?;
            }
            self.check.after = signature.number;
        }
        Ok(true)
    }

    fn is_outdated(&mut self, signature: &PendingSignature) -> Result<bool, Setback> {
        if self.plugins.known(&signature.key).is_some() {
            return Ok(false);
        }
        let example = match self.engine.request(signature.example) {
            Ok(example) => example,
            // It is gone meanwhile, or left out everywhere.
            Err(EngineError::NotFound { .. } | EngineError::Corrupt { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let task = &signature.task_name;
        match self.plugins.configure(task.as_str(), &example.task_data) {
            Ok(configured) => Ok(configured.signature().as_str() != signature.key),
            Err(error @ Unmatchable::NotAsked(_)) => Err(error.into()),
            Err(Unmatchable::Invalid(_)) => Ok(true),
            // It is looked at again when there is one, or it answers. Once, since a plugin may take its whole time to fail.
            Err(Unmatchable::Unknown(_) | Unmatchable::Failed { .. }) => {
                self.check.silent.insert(task.clone());
                Ok(false)
            }
        }
    }
}
