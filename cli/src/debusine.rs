//! A Debusine server as the engine of a worker.

use crate::{error::CommandError, exit::Exit, queue};
use rustix::process::geteuid;
use std::{env, path::PathBuf, sync::Arc};
use taskbay_debusine_engine::{DebusineEngine, Finding, Workplace};
use taskbay_service::{Config, WorkerOptions};

/// The server that the URL names, once it is there.
pub(crate) fn open(
    config: &Config,
    url: &str,
    options: &WorkerOptions,
) -> Result<Arc<DebusineEngine>, CommandError> {
    let variable = |name: &str| env::var_os(name);
    let finding = Finding {
        home: variable("HOME").map(PathBuf::from),
        state: queue::state_directory(variable, geteuid().is_root())?,
        tokens: config.debusine.tokens.clone(),
        allow_http: config.debusine.allow_http,
    };
    let workplace = Workplace::find(url, &finding)?;
    let (name, slots) = (&options.name, options.slots);
    let engine = queue::in_time(|| DebusineEngine::open(&workplace, name, slots))?;
    Ok(Arc::new(engine))
}

/// That a command does not work with such an engine.
pub(crate) fn is_for_workers() -> CommandError {
    let message = "a Debusine server is an engine for workers: of the commands about requests only `worker` and `explain ID` work with it";
    CommandError::new(Exit::Usage, message)
        .help("submit and look at requests with Debusine's own client, or its pages")
}
