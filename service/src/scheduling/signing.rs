//! Signatures: what requests demand, as their plugins say.

use super::{BATCH, LONG, Scheduling, Setback};
use crate::{Stop, fitting};
use std::{collections::HashSet, time::Instant};
use taskbay_core::{ErrorCode, OutcomeError, TaskName};
use taskbay_engine::{EngineError, PendingSignature, Unsigned};
use taskbay_worker::Unmatchable;

impl Scheduling<'_> {
    /// Gives some requests their signatures. Says whether there may be more.
    pub(super) fn sign(&mut self, stop: &Stop) -> Result<bool, Setback> {
        let unsigned = self.engine.unsigned(BATCH, &self.signing.waiting())?;
        let begun = Instant::now();
        for request in &unsigned {
            if stop.is_told() {
                return Ok(false);
            }
            if begun.elapsed() >= LONG {
                return Ok(true);
            }
            // One plugin that hangs after another takes long, and is no fault of the scheduler's.
            self.part.beats();
            if !self.signing.is_waiting(&request.task_name) {
                self.sign_one(request)?;
            }
        }
        Ok(unsigned.len() == BATCH as usize)
    }

    fn sign_one(&mut self, request: &Unsigned) -> Result<(), Setback> {
        let (id, task) = (request.id, &request.task_name);
        let error = match self.plugins.configure(task.as_str(), &request.task_data) {
            Ok(configured) => {
                self.signing.answered(task);
                let key = configured.signature().as_str();
                let signed = self.engine.sign(id, key);
                if let Ok(Some(number)) = signed {
                    self.signed.add(PendingSignature {
                        number,
                        key: key.to_owned(),
                        task_name: task.clone(),
                        example: id,
                        priority: request.priority,
                    });
                }
                return self.heard(request, signed.map(drop));
            }
            Err(error) => error,
        };
        let code = match &error {
            Unmatchable::Invalid(_) => ErrorCode::ConfigureFailed,
            Unmatchable::Unknown(_) if !self.is_offered(task)? => ErrorCode::SetupFailed,
            Unmatchable::Failed {
                code: Some(ErrorCode::Crashed),
                ..
            } if self.signing.is_final_of(task, id) => ErrorCode::Crashed,
            Unmatchable::Failed {
                code: Some(code), ..
            } if *code != ErrorCode::Crashed => *code,
            Unmatchable::NotAsked(_) => return Err(error.into()),
            Unmatchable::Unknown(_) | Unmatchable::Failed { .. } => {
                let wait = self.signing.of_task(task, Instant::now());
                let wait = wait.as_secs_f64();
                log::warn!("requests for `{task}` wait, for {wait:.1} s at first: {error}");
                return Ok(());
            }
        };
        let mut refusal = OutcomeError::new(code, error.reason().message);
        refusal.panicked = error.is_panic();
        let errors = [refusal];
        let refused = self.engine.refuse(id, &fitting::errors(&errors));
        self.heard(request, refused.map(drop))
    }

    /// What an engine makes of one request costs no other request anything.
    fn heard(&mut self, request: &Unsigned, told: Result<(), EngineError>) -> Result<(), Setback> {
        match told {
            // Or it is gone meanwhile.
            Ok(()) | Err(EngineError::NotFound { .. }) => Ok(()),
            Err(error @ (EngineError::TooLarge { .. } | EngineError::Invalid { .. })) => {
                self.signing.of_task(&request.task_name, Instant::now());
                log::error!("request {} waits: {error}", request.id);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a worker says that it has that task, so that this scheduler may have it in a moment.
    fn is_offered(&mut self, task: &TaskName) -> Result<bool, EngineError> {
        if self.offered.is_none() {
            let mut offered = HashSet::new();
            for worker in self.engine.workers()? {
                let keys = worker.effective.iter();
                let tasks = keys.filter_map(|(key, _)| key.strip_suffix(":version"));
                offered.extend(tasks.map(str::to_owned));
            }
            self.offered = Some(offered);
        }
        let offered = self.offered.as_ref();
        Ok(offered.is_some_and(|offered| offered.contains(task.as_str())))
    }
}
