//! `taskbay explain`: who can execute a request, who cannot, and why not.

use super::{fleet::fleet, recorded};
use crate::{error::CommandError, exit::Exit, report::plain, session::Session};
use serde_json::Value;
use std::io::{self, Write};
use taskbay_core::ReasonCode;
use taskbay_engine::{Engine, Request, RequestDetails, RequestId, Status, Timestamp};
use taskbay_scheduler::{Explanation, Outlook, Row};
use taskbay_service::Plugins;
use taskbay_worker::Unmatchable;

pub(crate) fn run(
    session: &Session,
    engine: &dyn Engine,
    id: RequestId,
) -> Result<Exit, CommandError> {
    let details = engine.request(id)?;
    let request = &details.request;
    let (explained, not_here) = match here(session, engine, &details)? {
        Here::Judged(explained) => (explained, None),
        Here::Failed(failed) => match recorded::explain(engine, request)? {
            Ok(explained) => (explained, Some(FAILED.to_owned())),
            // Then that it fails is all that there is to say, and how.
            Err(_) => (failed, None),
        },
        Here::Unjudged(why) => {
            let recorded = recorded::explain(engine, request)?;
            let explained = recorded.map_err(|unsaid| unknown(id, &why, &unsaid))?;
            (explained, Some(why))
        }
    };
    let mut json = serde_json::to_value(&explained).unwrap_or_default();
    json["id"] = id.into();
    json["task_name"] = request.task_name.as_str().into();
    json["status"] = request.status.as_str().into();
    let not_before = held_back(request, engine.now()?);
    json["not_before"] = not_before.map(|until| until.to_string()).into();
    json["source"] = super::source(not_here.is_some()).into();
    json["not_judged_here"] = not_here.clone().into();
    session.report.data(&json, |out| {
        write_outlook(out, request, explained.verdict, not_before)?;
        if let Some(why) = &not_here {
            let why = plain(why);
            writeln!(
                out,
                "  by what schedulers have recorded: it cannot be judged here, since {why}"
            )?;
        }
        write(out, &explained)
    })?;
    Ok(Exit::Success)
}

/// What the plugins of this machine make of a request.
enum Here {
    Judged(Explanation),
    /// The plugin is here, and failed when it was asked about some worker, while no other suits.
    Failed(Explanation),
    /// They cannot say, and why.
    Unjudged(String),
}

/// Why a verdict of others is told where the plugin is here.
pub(super) const FAILED: &str = "the plugin failed when it was asked";

fn here(
    session: &Session,
    engine: &dyn Engine,
    details: &RequestDetails,
) -> Result<Here, CommandError> {
    let mut plugins = Plugins::new(session.hosts(), session.catalog());
    let name = details.request.task_name.as_str();
    let matchable = match plugins.configure(name, &details.task_data) {
        Ok(matchable) => matchable,
        // Data that the task does not take is taken nowhere.
        Err(error @ Unmatchable::Invalid(_)) => {
            return Ok(Here::Judged(Explanation::refused(error.reason())));
        }
        Err(error) => return session.unjudged(error.to_string()).map(Here::Unjudged),
    };
    let mut fleet = fleet(engine)?;
    let signature = fleet.add_task(matchable);
    let explained = match fleet.explain(signature, &mut plugins) {
        Ok(explained) => explained,
        Err(error) => return session.unjudged(error.to_string()).map(Here::Unjudged),
    };
    let explained = explained
        .ok_or_else(|| CommandError::new(Exit::Unavailable, "the request is not known"))?;
    let failed = |row: &Row| row.code == ReasonCode::PluginFailed;
    let has_failed = explained.conditions.iter().any(failed);
    Ok(if has_failed && explained.verdict == Outlook::Never {
        Here::Failed(explained)
    } else {
        Here::Judged(explained)
    })
}

/// Neither can this machine say it, nor has a scheduler said it.
fn unknown(id: RequestId, not_here: &str, unsaid: &str) -> CommandError {
    let message = format!("who can execute request {id} cannot be said here");
    CommandError::new(Exit::Unavailable, message)
        .cause(&format!("{not_here}; and {unsaid}"))
        .help("ask where the task's plugin is installed, or again once a scheduler has judged it")
}

/// Until when nobody gets a request that waits.
fn held_back(request: &Request, now: Timestamp) -> Option<Timestamp> {
    let until = request.not_before;
    (request.status == Status::Pending && until > now).then_some(until)
}

fn write_outlook(
    out: &mut dyn Write,
    request: &Request,
    outlook: Outlook,
    not_before: Option<Timestamp>,
) -> io::Result<()> {
    let (id, task) = (request.id, &request.task_name);
    let text = match (request.status, outlook) {
        (Status::Pending, Outlook::Never) => "can be executed by no worker",
        (Status::Pending, _) if not_before.is_some() => "waits, as an attempt did not end well",
        (Status::Pending, Outlook::Runnable) => {
            "can be executed now: a worker that it fits is idle"
        }
        (Status::Pending, Outlook::Busy) => "waits: every worker that it fits is busy",
        (Status::Running, _) => "runs",
        (Status::Completed, _) => "is completed",
        (Status::Held, _) => {
            "is held: its attempts are used up (`taskbay retry` has it wait again)"
        }
    };
    writeln!(out, "request {id} ({task}) {text}")?;
    match not_before {
        Some(until) => writeln!(out, "  nobody gets it before {until}"),
        None => Ok(()),
    }
}

/// A condition in words.
fn condition(row: &Row) -> String {
    match (row.code, &row.key, &row.wanted) {
        (ReasonCode::TaskMissing, Some(key), _) => format!("{key} is there"),
        (_, Some(key), Some(wanted)) => format!("{key}: {wanted}"),
        (_, Some(key), None) => key.clone(),
        (ReasonCode::Denied, ..) => "it may, by its lists".to_owned(),
        (ReasonCode::Unavailable, ..) => "it gets requests now".to_owned(),
        (ReasonCode::Refused, ..) => "the task's own code says yes".to_owned(),
        (code, ..) => super::word(&code),
    }
}

pub(super) fn write(out: &mut dyn Write, explained: &Explanation) -> io::Result<()> {
    for reason in &explained.reasons {
        writeln!(out, "  {}", plain(&reason.message))?;
    }
    for row in &explained.conditions {
        let condition = plain(&condition(row));
        write!(out, "  {condition:<44} {:>4} fulfil it", row.passing)?;
        match &row.failing[..] {
            [] => writeln!(out)?,
            failing => writeln!(out, ", {} not: {}", failing.len(), some(failing))?,
        }
    }
    if let Some(nearest) = &explained.nearest {
        writeln!(
            out,
            "the nearest worker is {}; what it lacks:",
            plain(&nearest.worker)
        )?;
        for reason in &nearest.missing {
            writeln!(out, "  {}", plain(&reason.message))?;
        }
    }
    for away in &explained.away {
        writeln!(
            out,
            "{} gets no requests: {}",
            plain(&away.worker),
            away.reason
        )?;
    }
    if !explained.skew.is_empty() {
        writeln!(out, "not all workers have the same version of the task:")?;
        for versions in &explained.skew {
            let version = match &versions.version {
                Value::Null => "none".to_owned(),
                version => version.to_string(),
            };
            writeln!(out, "  {version}: {}", some(&versions.workers))?;
        }
    }
    Ok(())
}

/// The first of some names, and how many more there are.
fn some(names: &[String]) -> String {
    const MOST: usize = 8;
    let shown = names
        .iter()
        .take(MOST)
        .map(plain)
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskbay_core::TaskName;

    fn request(not_before: i64) -> Request {
        Request {
            id: 7,
            task_name: TaskName::fold("noop").unwrap(),
            priority: 0,
            created_at: Timestamp(0),
            timeout: None,
            max_attempts: 3,
            status: Status::Pending,
            result: None,
            errors: Vec::new(),
            abort_requested: false,
            not_before: Timestamp(not_before),
            signature: None,
            attempts: 1,
            completed_at: None,
        }
    }

    fn outlook(not_before: i64) -> String {
        let request = request(not_before);
        let until = held_back(&request, Timestamp(1_000));
        let mut out = Vec::new();
        write_outlook(&mut out, &request, Outlook::Runnable, until).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_held_back_is_not_executed_now() {
        assert!(outlook(1_000).contains("can be executed now"));
        let held_back = outlook(1_001);
        assert!(!held_back.contains("can be executed now"), "{held_back}");
        assert!(
            held_back.contains("before 1970-01-01T00:00:01.001Z"),
            "{held_back}"
        );
    }

    #[test]
    fn each_condition_has_its_own_words() {
        let mut row = Row {
            code: ReasonCode::TaskMissing,
            key: Some("noop:version".to_owned()),
            wanted: Some(1.into()),
            passing: 0,
            failing: Vec::new(),
            unasked: 0,
        };
        assert_eq!(condition(&row), "noop:version is there");
        row.code = ReasonCode::VersionMismatch;
        assert_eq!(condition(&row), "noop:version: 1");
    }
}
