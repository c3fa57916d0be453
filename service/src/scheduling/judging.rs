//! Verdicts: which workers suit which signatures.

use super::{BATCH, Scheduling, Setback};
use crate::{Stop, fitting};
use std::time::Instant;
use taskbay_core::{Reason, ReasonCode, Verdict};
use taskbay_engine::{EngineError, MissingVerdict, NewVerdict};
use taskbay_scheduler::{Matchable, verdict};
use taskbay_worker::Unmatchable;

/// How many pairs more are asked for since they are left to others.
const MOST_LEFT: u32 = 4 * BATCH;
/// How many pairs that failed are remembered.
const MOST_FAILED: usize = 10_000;

impl Scheduling<'_> {
    /// Gives some of the verdicts that nobody has given. Says whether there may be more.
    pub(super) fn judge(&mut self, stop: &Stop) -> Result<bool, Setback> {
        // What is left to others hides nothing.
        let left = u32::try_from(self.foreign.len()).map_or(MOST_LEFT, |left| left.min(MOST_LEFT));
        let limit = BATCH + left;
        let mut missing = self.engine.missing_verdicts(limit)?;
        let signatures = missing.iter().map(|pair| &*pair.signature).collect();
        self.foreign.keep(&signatures);
        // What failed before comes last, so that it hides no other of its task.
        missing.sort_by_key(|pair| self.failed.contains(&pair_of(pair)));
        let mut verdicts = Vec::new();
        for pair in &missing {
            if stop.is_told() {
                break;
            }
            self.part.beats();
            if let Some(verdict) = self.verdict(pair)? {
                verdicts.push(NewVerdict {
                    signature: pair.signature.clone(),
                    metadata_hash: pair.metadata_hash.clone(),
                    verdict: Verdict {
                        reasons: fitting::reasons(verdict.reasons),
                    },
                });
            }
        }
        let recorded = self.engine.record_verdicts(&verdicts)?;
        // Where none could be given, they are all still missing.
        Ok(recorded > 0 && missing.len() == limit as usize)
    }

    /// The verdict, or none where the plugin is another one by now, or another scheduler's. That a plugin failed is recorded like any other, and
    /// forgotten when it is time to ask again.
    fn verdict(&mut self, missing: &MissingVerdict) -> Result<Option<Verdict>, Setback> {
        if self.judging.is_waiting(&missing.task_name) {
            // It would be asked for each kind of worker, and may take its whole time to fail each time.
            return Ok(Some(Verdict {
                reasons: vec![Reason::new(
                    ReasonCode::PluginFailed,
                    "the plugin failed when it was asked about another worker; it is asked again later",
                )],
            }));
        }
        let task = match self.plugins.known(&missing.signature) {
            Some(task) => Ok(task.clone()),
            None if self.foreign.is_left(&missing.signature, Instant::now()) => return Ok(None),
            // Another scheduler has signed it, or this one before it was started anew.
            None => self.configure_example(missing)?,
        };
        let verdict = match task {
            Ok(task) => verdict(&task, &missing.metadata, &mut self.plugins)
                .map_err(|error| Setback::NotAsked(error.to_string()))?,
            Err(Some(verdict)) => verdict,
            Err(None) => return Ok(None),
        };
        if verdict.has_failed() {
            if self.failed.len() >= MOST_FAILED {
                self.failed.clear();
            }
            self.failed.insert(pair_of(missing));
            let wait = self.judging.of_task(&missing.task_name, Instant::now());
            let (task, wait) = (&missing.task_name, wait.as_secs_f64());
            let reasons = verdict.reasons.iter().map(|reason| &*reason.message);
            let reasons: Vec<_> = reasons.collect();
            log::warn!(
                "`{task}` cannot say who suits, and is asked again in {wait:.1} s: {}",
                reasons.join("; ")
            );
        } else {
            self.judging.answered(&missing.task_name);
        }
        Ok(Some(verdict))
    }

    /// Configures a request with a signature that is not known here. Where that is not to be had, the verdict that stands in
    /// its place, or none for now.
    fn configure_example(
        &mut self,
        missing: &MissingVerdict,
    ) -> Result<Result<Matchable, Option<Verdict>>, Setback> {
        let example = match self.engine.request(missing.example) {
            Ok(example) => example,
            // It is gone meanwhile.
            Err(EngineError::NotFound { .. } | EngineError::Corrupt { .. }) => {
                return Ok(Err(None));
            }
            Err(error) => return Err(error.into()),
        };
        let task = missing.task_name.as_str();
        let error = match self.plugins.configure(task, &example.task_data) {
            Ok(task) if task.signature().as_str() == missing.signature => return Ok(Ok(task)),
            Ok(_) => None,
            Err(error @ Unmatchable::NotAsked(_)) => return Err(error.into()),
            Err(error) => Some(error),
        };
        // Whoever gave it has another plugin, or had.
        if self.foreign.meets(&missing.signature, Instant::now()) {
            return Ok(Err(None));
        }
        let reason = match error {
            // The plugin is another one by now.
            None | Some(Unmatchable::Invalid(_)) => {
                self.engine.unsign(&missing.task_name)?;
                return Ok(Err(None));
            }
            // Not for ever: it may come.
            Some(error @ Unmatchable::Unknown(_)) => {
                Reason::new(ReasonCode::PluginFailed, error.to_string())
            }
            Some(error) => error.reason(),
        };
        let reasons = vec![reason];
        Ok(Err(Some(Verdict { reasons })))
    }
}

fn pair_of(missing: &MissingVerdict) -> (String, String) {
    (missing.signature.clone(), missing.metadata_hash.clone())
}
