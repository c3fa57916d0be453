//! How an attempt ended, told to its server.

use crate::{
    client::{Client, Login},
    debug_logs::DebugLogs,
    fault::Fault,
    record::Record,
    standing,
    token::Token,
    upload::Upload,
};
use serde_json::json;
use taskbay_core::with_sources;
use ureq::http::Method;

/// How often the server may fail at the debug logs.
const MOST_LOG_TRIES: u32 = 20;
/// How often a seat waits for a result to be taken although the server takes its worker's word otherwise.
const MOST_REFUSALS: u32 = 12;
/// How often what stands before the server may answer in its place, or nobody: ten minutes at least.
const MOST_LOSSES: u32 = 120;

/// What becomes of a result that the server does not take now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its seat waits until it is taken: asked for work, the server would have the request done anew.
    Waits,
    /// It is told apart from its seat, since the server may never take it.
    IsApart,
    /// The request is another's.
    IsLost,
}

/// Why a server does not take now how an attempt ended.
#[derive(Debug)]
pub(crate) struct Untaken {
    pub(crate) why: Fault,
    /// Whether it is what was said that it does not take.
    is_about_logs: bool,
}

/// Gives the server the debug logs of an attempt, and relates them to what its task was about.
///
/// # Errors
///
/// When the server is away, or fails, which it is forgiven a few times ([`Untaken::fate`] counts them). What it refuses is
/// logged: a log costs no result.
pub(crate) fn send_logs(
    client: &Client,
    login: &Login,
    logs: &DebugLogs,
    record: &mut Record,
) -> Result<(), Fault> {
    if record.are_logs_sent {
        return Ok(());
    }
    let mut sent = || -> Result<(), Fault> {
        let draft = logs.draft();
        let request = (record.request, record.workspace.as_str());
        let mut upload = Upload::new(client, login, &draft, request)?;
        if let Some(begun) = record.log_artifact {
            upload.resume(begun)?;
        }
        let id = upload.begin()?;
        // Where this does not come to its end, the next time goes on with the same.
        if record.log_artifact != Some(id) {
            record.log_artifact = Some(id);
            if !upload.is_whole()
                && let Err(fault) = logs.shelf().keep(record)
            {
                log::error!("{}", with_sources(&fault));
            }
        }
        upload.go_on()?;
        for target in &record.about {
            let relation = json!({"artifact": id, "target": target, "type": "relates-to"});
            client
                .send(Method::POST, "/1.0/artifact-relation/", login, &relation)?
                .expect(&[200, 201], client.url())?;
        }
        Ok(())
    };
    match sent() {
        Err(fault) if fault.is_unreached() => return Err(fault),
        Err(fault @ Fault::Unavailable { .. }) if record.losses < MOST_LOSSES => return Err(fault),
        Err(fault @ Fault::Failing { .. }) if record.log_tries < MOST_LOG_TRIES => {
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
    record.losses = 0;
    Ok(())
}

/// Gives the server the debug logs of an attempt, and tells it the result.
///
/// # Errors
///
/// When it does not take them now: [`Untaken::fate`] says what becomes of the result.
pub(crate) fn tell(
    client: &Client,
    worker: &Token,
    logs: &DebugLogs,
    record: &mut Record,
) -> Result<(), Untaken> {
    let login = login(record, worker);
    let untaken = |is_about_logs| move |why| Untaken { why, is_about_logs };
    send_logs(client, &login, logs, record).map_err(untaken(true))?;
    complete(client, &login, record).map_err(untaken(false))
}

impl Untaken {
    /// What becomes of the result.
    pub(crate) fn fate(&self, client: &Client, worker: &Token, record: &mut Record) -> Fate {
        let why = &self.why;
        if why.is_anothers() {
            return Fate::IsLost;
        }
        // While nothing is taken, or nothing of this worker's, it is not about what was said.
        if why.is_unreached() || !matches!(standing::is_taken(client, worker), Ok(true)) {
            return Fate::Waits;
        }
        // What stands before the server has another patience than the server itself, so each is counted for itself.
        let (count, most) = match why {
            Fault::Unavailable { .. } => (&mut record.losses, MOST_LOSSES),
            // Then the result is told without them.
            _ if self.is_about_logs => (&mut record.log_tries, u32::MAX),
            Fault::Failing { .. } => (&mut record.refusals, MOST_REFUSALS),
            _ if why.is_denied() => (&mut record.refusals, MOST_REFUSALS),
            _ => (&mut record.refusals, 1),
        };
        *count += 1;
        if self.is_about_logs || *count < most {
            Fate::Waits
        } else {
            Fate::IsApart
        }
    }
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
