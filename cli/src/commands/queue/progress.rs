//! What `taskbay submit --wait` tells of a request on its way.

use crate::report::note;
use taskbay_engine::{Attempt, RequestDetails, Status};
use taskbay_scheduler::Outlook;

/// What was told of a request.
#[derive(Debug)]
pub(super) struct Progress {
    /// What it could expect when it was submitted, if that is known.
    outlook: Option<Outlook>,
    told: Option<String>,
}

impl Progress {
    pub(super) fn new(outlook: Option<Outlook>) -> Self {
        Self {
            outlook,
            told: None,
        }
    }

    /// Tells how far the request is, unless that was told.
    pub(super) fn tell(&mut self, details: &RequestDetails) {
        let text = text(details, self.outlook);
        if text.is_some() && text != self.told {
            note(text.as_deref().unwrap_or_default());
            self.told = text;
        }
    }
}

/// How far a request is that is not over.
fn text(details: &RequestDetails, outlook: Option<Outlook>) -> Option<String> {
    let id = details.request.id;
    Some(match (details.request.status, details.tries.last()) {
        (Status::Pending, Some(last)) => {
            // One that begins just now has not ended.
            let ended = ended(last)?;
            format!("request {id} waits for another attempt: {ended}")
        }
        (Status::Pending, None) => match outlook {
            Some(Outlook::Busy) => {
                format!("request {id} waits: every worker that it fits is busy")
            }
            Some(Outlook::Runnable) => format!("request {id} waits for a worker to take it"),
            // That nobody can was told when it was submitted.
            Some(Outlook::Never) | None => format!("request {id} waits"),
        },
        (Status::Running, Some(last)) => {
            format!("attempt {} runs on the worker {}", last.n, last.worker)
        }
        _ => return None,
    })
}

fn ended(attempt: &Attempt) -> Option<String> {
    let (n, worker) = (attempt.n, &attempt.worker);
    let outcome = super::word(attempt.outcome.as_ref()?);
    Some(match &attempt.reason {
        Some(reason) => format!("attempt {n} on {worker} ended ({outcome}: {reason})"),
        None => format!("attempt {n} on {worker} ended ({outcome})"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use taskbay_engine::Timestamp;

    /// A request and its tries, whose moments do not matter here.
    fn told(status: &str, outcome: Option<&str>, attempts: i64) -> Option<String> {
        let tries = (1..=attempts).map(|n| {
            json!({
                "n": n,
                "worker": "w",
                "started_at": Timestamp(0),
                "ended_at": null, "lease_until": Timestamp(0), "fence": 1,
                "outcome": outcome,
                "reason": outcome.map(|_| "its lease ran out"),
            })
        });
        let details = json!({
            "id": 7, "task_name": "noop", "priority": 0, "created_at": Timestamp(0), "timeout": null,
            "max_attempts": 3, "status": status, "result": null, "errors": [], "abort_requested": false,
            "not_before": Timestamp(0), "signature": null, "attempts": attempts, "completed_at": null,
            "task_data": "{}", "tries": tries.collect::<Vec<_>>(),
        });
        text(&serde_json::from_value(details).unwrap(), None)
    }

    #[test]
    fn an_attempt_that_was_lost_is_told_with_the_reason() {
        assert_eq!(told("pending", None, 0).unwrap(), "request 7 waits");
        let lost = told("pending", Some("lost"), 1).unwrap();
        assert_eq!(
            lost,
            "request 7 waits for another attempt: attempt 1 on w ended (lost: its lease ran out)"
        );
        let runs = told("running", None, 2).unwrap();
        assert_eq!(runs, "attempt 2 runs on the worker w");
        // It begins just now.
        assert_eq!(told("pending", None, 1), None);
        assert_eq!(told("completed", Some("success"), 1), None);
    }
}
