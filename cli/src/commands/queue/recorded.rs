//! What schedulers have recorded of a request: what counts where this machine cannot judge.

use super::fleet::workers;
use crate::error::CommandError;
use std::collections::BTreeMap;
use taskbay_core::{Reason, ReasonCode, TaskName, Verdict};
use taskbay_engine::{Engine, EngineError, Request};
use taskbay_scheduler::{Away, Explanation, Nearest, Outlook, Row, Worker};

/// What schedulers have recorded of the requests of a signature.
#[derive(Debug)]
pub(super) struct Recorded {
    task: TaskName,
    /// Why each worker that was judged is unfit: for nothing where it suits.
    reasons: BTreeMap<String, Vec<Reason>>,
    /// How a scheduler's plugin failed as it was asked of a worker, which says nothing of the worker.
    failures: BTreeMap<String, String>,
}

/// Why nothing can be said.
const UNSIGNED: &str = "no scheduler has looked at it yet";

impl Recorded {
    /// What is recorded of the requests that are like this one; of one that no scheduler has looked at there is none.
    pub(super) fn of(
        engine: &dyn Engine,
        request: &Request,
    ) -> Result<Result<Self, String>, EngineError> {
        let Some(signature) = &request.signature else {
            return Ok(Err(UNSIGNED.to_owned()));
        };
        let (mut reasons, mut failures) = (BTreeMap::new(), BTreeMap::new());
        for recorded in engine.verdicts_of(signature)? {
            let verdict = Verdict {
                reasons: recorded.reasons,
            };
            let workers = recorded.workers.into_iter();
            if verdict.has_failed() {
                let message = verdict.reasons[0].message.clone();
                failures.extend(workers.map(|worker| (worker, message.clone())));
            } else {
                reasons.extend(workers.map(|worker| (worker, verdict.reasons.clone())));
            }
        }
        let task = request.task_name.clone();
        Ok(Ok(Self {
            task,
            reasons,
            failures,
        }))
    }

    /// Whether that worker gets such requests, or why nothing can be said.
    pub(super) fn verdict(&self, worker: &Worker) -> Result<Verdict, String> {
        let name = &worker.name;
        let recorded = self.reasons.get(name);
        let mut reasons = recorded
            .cloned()
            .ok_or_else(|| match self.failures.get(name) {
                Some(why) => format!(
                    "a scheduler's plugin failed when it was asked about the worker `{name}`: {why}"
                ),
                None => format!("no scheduler has judged the worker `{name}` for it yet"),
            })?;
        reasons.extend(worker.lists.reasons(&self.task));
        Ok(Verdict { reasons })
    }

    /// What such a request can expect of the workers that there are, or why nothing can be said.
    fn explain(&self, fleet: &[Worker]) -> Result<Explanation, String> {
        let mut verdict = Outlook::Never;
        let mut unsaid = None;
        let mut nearest: Option<Nearest> = None;
        let mut rows = Vec::new();
        for worker in fleet {
            let missing = match self.verdict(worker) {
                Ok(verdict) => verdict.reasons,
                // One that gets nothing whatever is said of it need not be judged.
                Err(why) => {
                    let counts = worker.lists.permit(&self.task);
                    unsaid = unsaid.or(counts.then_some(why));
                    continue;
                }
            };
            match (missing.is_empty(), worker.is_busy) {
                (true, false) => verdict = Outlook::Runnable,
                (true, true) => verdict = verdict.max(Outlook::Busy),
                (false, _) => {}
            }
            for reason in &missing {
                row(&mut rows, reason).failing.push(worker.name.clone());
            }
            if nearest
                .as_ref()
                .is_none_or(|nearest| missing.len() < nearest.missing.len())
            {
                let worker = worker.name.clone();
                nearest = Some(Nearest { worker, missing });
            }
        }
        if let Some(why) = unsaid.filter(|_| verdict == Outlook::Never) {
            return Err(why);
        }
        for row in &mut rows {
            self.count(row);
        }
        Ok(Explanation {
            verdict,
            conditions: rows,
            nearest: nearest.filter(|_| verdict == Outlook::Never),
            away: away(fleet),
            reasons: Vec::new(),
            skew: Vec::new(),
        })
    }

    /// Counts who fulfils a condition. A task's own code was asked only of the workers that fulfil all others.
    fn count(&self, row: &mut Row) {
        let rest = self.reasons.len().saturating_sub(row.failing.len());
        let fitting = self.reasons.values().filter(|reasons| reasons.is_empty());
        row.passing = match row.code {
            ReasonCode::Refused => fitting.count(),
            _ => rest,
        };
        row.unasked = rest.saturating_sub(row.passing);
    }
}

/// What a request can expect by what is recorded, or why nothing can be said.
pub(super) fn explain(
    engine: &dyn Engine,
    request: &Request,
) -> Result<Result<Explanation, String>, CommandError> {
    let fleet = workers(engine)?;
    let recorded = Recorded::of(engine, request)?;
    Ok(recorded.and_then(|recorded| recorded.explain(&fleet)))
}

/// The row of the condition that does not hold for that reason.
fn row<'r>(rows: &'r mut Vec<Row>, reason: &Reason) -> &'r mut Row {
    // The lists' and the task's own conditions have neither key nor value.
    let is_it =
        |row: &Row| (row.code, &row.key, &row.wanted) == (reason.code, &reason.key, &reason.wanted);
    let index = rows.iter().position(is_it).unwrap_or_else(|| {
        rows.push(Row {
            code: reason.code,
            key: reason.key.clone(),
            wanted: reason.wanted.clone(),
            passing: 0,
            failing: Vec::new(),
            unasked: 0,
        });
        rows.len() - 1
    });
    &mut rows[index]
}

/// The workers that get nothing now.
fn away(fleet: &[Worker]) -> Vec<Away> {
    let away = fleet.iter().filter_map(|worker| {
        let reason = worker.lists.away.clone()?;
        let worker = worker.name.clone();
        Some(Away { worker, reason })
    });
    away.collect()
}
