//! `taskbay completions`: a completion script for a shell.

use crate::{args, error::CommandError, exit::Exit, session::Session};
use serde_json::json;

pub(crate) fn run(session: &Session, shell: clap_complete::Shell) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "taskbay", &mut script);
    let json = json!({
        "schema": "taskbay.completions/1",
        "shell": shell.to_string(),
        "script": String::from_utf8_lossy(&script),
    });
    session.report.data(&json, |out| out.write_all(&script))?;
    Ok(Exit::Success)
}
