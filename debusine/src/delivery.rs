//! How an attempt ended, told to its server.

use crate::{
    client::{Client, Login},
    debug_logs::DebugLogs,
    fault::Fault,
    record::Record,
    token::Token,
    upload::Upload,
};
use serde_json::json;
use taskbay_core::with_sources;
use ureq::http::Method;

/// How often the debug logs are tried where the server fails.
const MOST_TRIES: u32 = 20;

/// Gives the server the debug logs of an attempt, and relates them to what its task was about.
///
/// # Errors
///
/// When the server is away, or fails, which it is forgiven a few times. What it refuses is logged: a log costs no result.
pub(crate) fn send_logs(
    client: &Client,
    login: &Login,
    logs: &DebugLogs,
    record: &mut Record,
) -> Result<(), Fault> {
    if record.are_logs_sent {
        return Ok(());
    }
    let sent = || -> Result<(), Fault> {
        let draft = logs.draft();
        let request = (record.request, record.workspace.as_str());
        let id = Upload::new(client, login, &draft, request)?.go_on()?;
        for target in &record.about {
            let relation = json!({"artifact": id, "target": target, "type": "relates-to"});
            client
                .send(Method::POST, "/1.0/artifact-relation/", login, &relation)?
                .expect(&[200, 201], client.url())?;
        }
        Ok(())
    };
    match sent() {
        Err(fault @ Fault::Unavailable { .. }) => return Err(fault),
        Err(fault @ Fault::Failing { .. }) if record.log_tries < MOST_TRIES => {
            record.log_tries += 1;
            return Err(fault);
        }
        // The result decides: where it is kept, its logs are sent with it later.
        Err(fault) if fault.is_denied() => {
            log::warn!("{}", with_sources(&fault));
            return Ok(());
        }
        Err(fault) => log::error!(
            "the debug logs of work request {} are not on the server: {}",
            record.request,
            with_sources(&fault)
        ),
        Ok(()) => {}
    }
    record.are_logs_sent = true;
    Ok(())
}

/// Tells the server the result. Told twice it is no error, since an answer can get lost on the way.
pub(crate) fn complete(client: &Client, login: &Login, record: &Record) -> Result<(), Fault> {
    let path = format!("/1.0/work-request/{}/completed/", record.request);
    client
        .send(Method::PUT, &path, login, &record.completion)?
        .expect(&[200], client.url())?;
    Ok(())
}

/// Who tells of a request: the request itself where it has a token, else the worker.
pub(crate) fn login(record: &Record, worker: &Token) -> Login {
    let own = record.token.as_deref().and_then(Token::parse);
    Login {
        token: Some(own.unwrap_or_else(|| worker.clone())),
        scope: record.scope.clone(),
    }
}
