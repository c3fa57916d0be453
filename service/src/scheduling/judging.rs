//! Verdicts: which workers suit which signatures.

use super::{BATCH, LONG, Scheduling, Setback, pile::Lane};
use crate::{Stop, fitting};
use std::{collections::HashSet, time::Instant};
use taskbay_core::{Reason, ReasonCode, Verdict};
use taskbay_engine::{EngineError, MissingVerdict, NewVerdict};
use taskbay_scheduler::{Matchable, verdict};
use taskbay_worker::Unmatchable;

/// How often plugins may fail in one round before there is a look at all else.
const OFTEN: u32 = 8;

impl Scheduling<'_> {
    /// Gives some of the verdicts that nobody has given. Says whether there may be more.
    pub(super) fn judge(&mut self, stop: &Stop) -> Result<bool, Setback> {
        let mut verdicts = Vec::new();
        let judged = self
            .look_for_missing()
            .and_then(|()| self.judge_some(stop, &mut verdicts));
        // Also where the last of them could not be given.
        let recorded = self.engine.record_verdicts(&verdicts);
        if let Err(error) = judged.and(recorded.map_err(Setback::from)) {
            // What was taken is looked for anew.
            self.circle.again();
            return Err(error);
        }
        Ok(!self.to_judge.is_empty() || !self.signed.is_empty() || self.circle.goes_on())
    }

    /// Looks at what was signed last, at what is new and at some of the rest, each as long as there is room for it.
    pub(super) fn look_for_missing(&mut self) -> Result<(), Setback> {
        let begun = Instant::now();
        let [has_room, walks] = [Lane::News, Lane::Rest].map(|lane| self.to_judge.has_room(lane));
        // What is more urgent than all that is new has room always.
        let above = self.to_judge.priority_of_news().filter(|_| !has_room);
        let mut look = self.circle.next(self.engine, has_room, walks, begun)?;
        let signed = self.signed.take(self.circle.size(), above);
        look.new += signed.len();
        look.signatures.splice(..0, signed);
        if look.signatures.is_empty() && !has_room && !walks {
            return Ok(());
        }
        let news = look.signatures[..look.new].iter();
        let news: HashSet<_> = news.map(|signature| signature.key.clone()).collect();
        look.signatures
            .retain(|signature| !self.failed.has_given_up(&signature.task_name));
        let missing = self.engine.missing_verdicts(&look.signatures)?;
        let now = Instant::now();
        self.circle
            .has_looked(&look, missing.hashes, now - begun, now);
        for pair in missing.pairs {
            let is_new = news.contains(&pair.signature);
            let lane = if is_new { Lane::News } else { Lane::Rest };
            self.to_judge.add(lane, pair);
        }
        if look.is_end() {
            self.foreign.has_gone_round();
        }
        Ok(())
    }

    fn judge_some(&mut self, stop: &Stop, verdicts: &mut Vec<NewVerdict>) -> Result<(), Setback> {
        self.to_judge.sort(&self.failed);
        let (begun, mut failures) = (Instant::now(), 0);
        while verdicts.len() < BATCH as usize && begun.elapsed() < LONG && failures < OFTEN {
            if stop.is_told() {
                break;
            }
            let Some(pair) = self.to_judge.take(&self.failed) else {
                break;
            };
            self.part.beats();
            let Some(verdict) = self.verdict(&pair)? else {
                continue;
            };
            if verdict.has_failed() {
                failures += 1;
            }
            verdicts.push(NewVerdict {
                signature: pair.signature,
                metadata_hash: pair.metadata_hash,
                verdict: Verdict {
                    reasons: fitting::reasons(verdict.reasons),
                },
            });
        }
        Ok(())
    }

    /// The verdict, or none where the plugin is another one by now, another scheduler's, or asked no more. That a plugin
    /// failed is recorded like any other, of this pair alone, and forgotten when it is time to ask again.
    fn verdict(&mut self, missing: &MissingVerdict) -> Result<Option<Verdict>, Setback> {
        let task = &missing.task_name;
        let is_waiting = self.judging.is_waiting(task);
        if !self.failed.is_asked(missing, is_waiting, Instant::now()) {
            return Ok(None);
        }
        let known = match self.plugins.known(&missing.signature) {
            Some(task) => Ok(task.clone()),
            None if self.foreign.is_left(&missing.signature, Instant::now()) => return Ok(None),
            // Another scheduler has signed it, or this one before it was started anew.
            None => self.configure_example(missing)?,
        };
        let verdict = match known {
            Ok(task) => {
                let verdict = verdict(&task, &missing.metadata, &mut self.plugins)
                    .map_err(|error| Setback::NotAsked(error.to_string()))?;
                if task.has_own_code() && is_answer(&verdict) {
                    self.failed.has_answered(missing);
                }
                verdict
            }
            Err(Some(verdict)) => verdict,
            Err(None) => return Ok(None),
        };
        if verdict.has_failed() {
            self.note_failure(missing, &verdict);
        }
        Ok(Some(verdict))
    }

    fn note_failure(&mut self, missing: &MissingVerdict, verdict: &Verdict) {
        let task = &missing.task_name;
        self.failed.add(missing, Instant::now());
        if self.plugins.has_given_up(task) {
            self.failed.give_up(task);
        }
        // Once for all that fails before it is asked again.
        let is_new = !self.judging.is_waiting(task);
        let wait = self.judging.of_task(task, Instant::now());
        if is_new {
            let reasons = verdict.reasons.iter().map(|reason| &*reason.message);
            let reasons: Vec<_> = reasons.collect();
            log::warn!(
                "`{task}` cannot say who suits, and is asked again in {:.1} s: {}",
                wait.as_secs_f64(),
                reasons.join("; ")
            );
        }
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
            Ok(task) if task.signature().as_str() == missing.signature => {
                if !task.has_own_code() {
                    self.failed.has_configured(&missing.task_name);
                }
                return Ok(Ok(task));
            }
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
                self.engine.unsign_signature(&missing.signature)?;
                self.foreign.is_left_now(&missing.signature, Instant::now());
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

/// Whether that is what a task's own code says, and not what its conditions do.
fn is_answer(verdict: &Verdict) -> bool {
    let is_own = |reason: &Reason| reason.code == ReasonCode::Refused;
    verdict.can_run() || verdict.reasons.iter().any(is_own)
}
