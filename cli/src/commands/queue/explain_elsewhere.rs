//! `taskbay explain` where the scheduler is a Debusine server's that asks our plugins.

use super::explain::write;
use crate::{error::CommandError, exit::Exit, queue, report::plain, session::Session};
use serde::Deserialize;
use std::{
    env,
    io::{self, Write},
};
use taskbay_core::Reason;
use taskbay_debusine_engine::{ServerUrl, TOKEN_VARIABLE, explain};
use taskbay_engine::{EngineError, RequestId};
use taskbay_scheduler::{Explanation, Outlook};
use taskbay_service::Config;

/// What the server says of a request.
#[derive(Debug, Deserialize)]
struct Explained {
    task_name: String,
    status: String,
    #[serde(flatten)]
    explanation: Explanation,
    /// What its scheduler was told of workers as they are now.
    recorded: Vec<Recorded>,
}

/// What a scheduler was told of a worker.
#[derive(Debug, Deserialize)]
struct Recorded {
    worker: String,
    judged_at: String,
    reasons: Vec<Reason>,
}

pub(crate) fn run(
    session: &Session,
    config: &Config,
    url: &str,
    id: RequestId,
) -> Result<Exit, CommandError> {
    let url = ServerUrl::parse(url, config.debusine.allow_http)?;
    let token = env::var(TOKEN_VARIABLE).ok();
    let ask = move || explain(&url, token.as_deref(), id);
    let answer = queue::unless_told(session, ask)?.ok_or_else(queue::told)?;
    let json = answer.map_err(|error| match error {
        EngineError::NotFound { .. } | EngineError::Refused { .. } => CommandError::from(error).help(format!(
            "see whether you may see it: {TOKEN_VARIABLE} is the token by which the server knows you"
        )),
        error => error.into(),
    })?;
    let explained: Explained = Explained::deserialize(&json).map_err(|error| {
        CommandError::new(Exit::Unavailable, "the server's answer is none").cause(&error)
    })?;
    session.report.data(&json, |out| {
        let (task, outlook) = (plain(&explained.task_name), outlook(&explained));
        writeln!(out, "request {id} ({task}) {outlook}")?;
        write(out, &explained.explanation)?;
        explained
            .recorded
            .iter()
            .try_for_each(|told| write_told(out, told))
    })?;
    Ok(Exit::Success)
}

fn outlook(explained: &Explained) -> String {
    match (&*explained.status, explained.explanation.verdict) {
        ("pending", Outlook::Never) => "can be executed by no worker".to_owned(),
        ("pending", Outlook::Runnable) => {
            "can be executed now: a worker that it fits is idle".to_owned()
        }
        ("pending", Outlook::Busy) => "waits: every worker that it fits is busy".to_owned(),
        (status, _) => format!("is {}", plain(status)),
    }
}

fn write_told(out: &mut dyn Write, told: &Recorded) -> io::Result<()> {
    let reasons: Vec<String> = told
        .reasons
        .iter()
        .map(|reason| plain(&reason.message))
        .collect();
    writeln!(
        out,
        "the scheduler was told at {} of {}: {}",
        plain(&told.judged_at),
        plain(&told.worker),
        reasons.join("; ")
    )
}
