//! `taskbay explain --worker`: what of all that waits a worker can execute, and what not.

use super::{explain::FAILED, fleet::matched, recorded::Recorded};
use crate::{error::CommandError, exit::Exit, report::plain, session::Session};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, hash_map::Entry},
    io::{self, Write},
};
use taskbay_core::{Reason, ReasonCode, Verdict};
use taskbay_engine::{Engine, Request, Status};
use taskbay_scheduler::{Scheduler, Worker};
use taskbay_service::Plugins;
use taskbay_worker::Unmatchable;

/// How many are asked for at a time: their data may be large.
const BATCH: usize = 100;

pub(crate) fn run(
    session: &Session,
    engine: &dyn Engine,
    name: &str,
    limit: u32,
) -> Result<Exit, CommandError> {
    let worker = matched(engine.worker(name)?, engine.now()?);
    let (rows, is_truncated) = judged(session, engine, &worker, limit)?;
    let away = worker.lists.away;
    let json: Vec<Value> = rows.iter().map(Judged::to_json).collect();
    let gets_requests = away.is_none();
    let json = json!({
        "worker": name,
        "gets_requests": gets_requests,
        "requests": json,
        "truncated": is_truncated,
    });
    session.report.data(&json, |out| {
        if let Some(why) = &away {
            writeln!(out, "{} gets no requests: {why}", plain(name))?;
        }
        rows.iter().try_for_each(|row| row.write(out))?;
        if is_truncated {
            writeln!(
                out,
                "only the first {limit} requests of the queue were looked at: more wait (`--limit` for more)"
            )?;
        }
        Ok(())
    })?;
    Ok(Exit::Success)
}

/// A request that waits, with what is said of the worker.
#[derive(Debug)]
struct Judged {
    request: Request,
    /// Whether it can execute it; unknown where neither this machine nor a scheduler can say.
    can_run: Option<bool>,
    /// Why not, or why it is unknown.
    reasons: Vec<Reason>,
    is_recorded: bool,
}

impl Judged {
    fn to_json(&self) -> Value {
        json!({
            "id": self.request.id,
            "task_name": self.request.task_name,
            "can_run": self.can_run,
            "reasons": self.reasons,
            "source": super::source(self.is_recorded),
        })
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let can = match (self.can_run, self.is_recorded) {
            (None, _) => "unknown",
            (Some(true), false) => "yes",
            (Some(false), false) => "no",
            (Some(true), true) => "yes, by what schedulers have recorded",
            (Some(false), true) => "no, by what schedulers have recorded",
        };
        let task = self.request.task_name.to_string();
        writeln!(out, "{:<8} {task:<16} {can}", self.request.id)?;
        let mut reasons = self.reasons.iter();
        reasons.try_for_each(|reason| writeln!(out, "  {}", plain(&reason.message)))
    }
}

/// The first requests of the queue, each with what is said of that worker; and whether more wait.
fn judged(
    session: &Session,
    engine: &dyn Engine,
    worker: &Worker,
    most: u32,
) -> Result<(Vec<Judged>, bool), CommandError> {
    let mut judges = Judges::new(session, engine, worker);
    let most = most as usize;
    let queue = engine.queue(u32::try_from(most + 1).unwrap_or(u32::MAX))?;
    let is_truncated = queue.len() > most;
    let mut rows = Vec::new();
    for ids in queue[..queue.len().min(most)].chunks(BATCH) {
        for (request, data) in engine.requests_with_data(ids)? {
            // Some worker may have it by now.
            if request.status == Status::Pending {
                rows.push(judges.judge(request, &data)?);
            }
        }
    }
    Ok((rows, is_truncated))
}

/// Who is asked about the only worker of a fleet: the plugins of this machine, and what schedulers have recorded.
struct Judges<'a> {
    session: &'a Session,
    engine: &'a dyn Engine,
    worker: &'a Worker,
    fleet: Scheduler,
    plugins: Plugins,
    /// By signature.
    recorded: HashMap<Option<String>, Result<Recorded, String>>,
}

impl<'a> Judges<'a> {
    fn new(session: &'a Session, engine: &'a dyn Engine, worker: &'a Worker) -> Self {
        let mut fleet = Scheduler::default();
        fleet.set_worker(worker.clone());
        Self {
            session,
            engine,
            worker,
            fleet,
            plugins: Plugins::new(session.hosts(), session.catalog()),
            recorded: HashMap::new(),
        }
    }

    fn judge(&mut self, request: Request, data: &str) -> Result<Judged, CommandError> {
        let not_here = match self.here(&request, data) {
            Ok(verdict) => return Ok(Judged::of(request, verdict, false)),
            Err(why) => self.session.unjudged(why)?,
        };
        let recorded = match self.recorded.entry(request.signature.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Recorded::of(self.engine, &request)?),
        };
        let told = match recorded {
            Ok(recorded) => recorded.verdict(self.worker),
            Err(unsaid) => Err(unsaid.clone()),
        };
        Ok(match told {
            Ok(verdict) => Judged::of(request, verdict, true),
            Err(unsaid) => {
                let message = format!("it cannot be judged here, since {not_here}; and {unsaid}");
                Judged {
                    request,
                    can_run: None,
                    reasons: vec![Reason::new(ReasonCode::PluginFailed, message)],
                    is_recorded: true,
                }
            }
        })
    }

    /// What the plugins of this machine say, or why they cannot.
    fn here(&mut self, request: &Request, data: &str) -> Result<Verdict, String> {
        let name = request.task_name.as_str();
        let matchable = match self.plugins.configure(name, data) {
            Ok(matchable) => matchable,
            Err(error @ Unmatchable::Invalid(_)) => {
                let reasons = vec![error.reason()];
                return Ok(Verdict { reasons });
            }
            Err(error) => return Err(error.to_string()),
        };
        let signature = self.fleet.add_task(matchable);
        let judged = self
            .fleet
            .verdict(signature, &self.worker.name, &mut self.plugins);
        let verdict = judged.map_err(|error| error.to_string())?;
        let verdict = verdict.unwrap_or_default();
        if verdict.has_failed() {
            let how = verdict.reasons.into_iter().next();
            let how = how.map_or_else(String::new, |reason| format!(": {}", reason.message));
            return Err(format!("{FAILED}{how}"));
        }
        Ok(verdict)
    }
}

impl Judged {
    fn of(request: Request, verdict: Verdict, is_recorded: bool) -> Self {
        Self {
            request,
            can_run: Some(verdict.can_run()),
            reasons: verdict.reasons,
            is_recorded,
        }
    }
}
