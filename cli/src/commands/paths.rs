//! `taskbay paths`: where plugins are looked for.

use crate::{error::CommandError, exit::Exit, session::Session};
use serde_json::{Value, json};
use std::{fs, path::Path};
use taskbay_loader::{SearchSource, Store, TrustPolicy};

pub(crate) fn run(session: &Session) -> Result<Exit, CommandError> {
    let directories: Vec<_> = session
        .path
        .directories()
        .iter()
        .map(|directory| {
            let (status, reason) = state_of(&directory.path, session.policy);
            (directory, status, reason)
        })
        .collect();
    let store = Store::of_this_user();
    let copies = store.directory().display().to_string();
    let rows: Vec<Value> = directories
        .iter()
        .map(|(directory, status, reason)| {
            json!({
                "path": directory.path.display().to_string(),
                "source": directory.source,
                "status": status,
                "reason": reason,
            })
        })
        .collect();
    let json = json!({"schema": "taskbay.paths/1", "directories": rows, "copies": copies});
    session.report.data(&json, |out| {
        for (directory, status, reason) in &directories {
            let source = match directory.source {
                SearchSource::Caller => "--plugin-dir",
                SearchSource::Environment => "TASKBAY_PLUGIN_PATH",
                SearchSource::Standard => "standard",
            };
            let reason = reason.as_ref().map(|reason| format!(": {reason}"));
            writeln!(
                out,
                "{} ({source}, {status}{})",
                directory.path.display(),
                reason.unwrap_or_default()
            )?;
        }
        writeln!(out, "{copies} (private copies)")
    })?;
    Ok(Exit::Success)
}

fn state_of(path: &Path, policy: TrustPolicy) -> (&'static str, Option<String>) {
    let resolved = match path.canonicalize() {
        Ok(resolved) => resolved,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return ("missing", None),
        Err(error) => return ("unreadable", Some(error.to_string())),
    };
    if let Err(error) = fs::read_dir(&resolved) {
        return ("unreadable", Some(error.to_string()));
    }
    match policy.check_way(path) {
        Ok(()) => ("ok", None),
        Err(error) => ("insecure", Some(error.to_string())),
    }
}
