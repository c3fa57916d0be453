//! `taskbay quarantine`: the plugins that were set aside, and why.

use crate::{args::QuarantineCommand, error::CommandError, exit::Exit, session::Session};
use serde_json::json;
use std::io::{self, Write};
use taskbay_loader::{Evidence, Quarantine};

pub(crate) fn run(session: &Session, command: &QuarantineCommand) -> Result<Exit, CommandError> {
    let quarantine = Quarantine::of_this_user();
    let unusable = |error: io::Error| {
        CommandError::new(Exit::Unavailable, "the quarantine cannot be used")
            .cause(&error)
            .help("see `taskbay paths`, and set TASKBAY_CACHE_DIR to a directory of this user's")
    };
    match command {
        QuarantineCommand::List => {
            let all = quarantine.all().map_err(unusable)?;
            show(session, &all, write_line)?;
        }
        QuarantineCommand::Why { name } => {
            let mut all = quarantine.all().map_err(unusable)?;
            all.retain(|evidence| evidence.is_about(name));
            if all.is_empty() {
                return Err(not_there(name));
            }
            show(session, &all, write_all)?;
        }
        QuarantineCommand::Clear { name } => {
            let cleared = quarantine.clear(name).map_err(unusable)?;
            if cleared == 0 {
                return Err(not_there(name));
            }
            let json = json!({"cleared": cleared});
            session.report.data(&json, |out| {
                writeln!(out, "cleared; `{name}` is tried again when it is next used")
            })?;
        }
    }
    Ok(Exit::Success)
}

fn not_there(name: &str) -> CommandError {
    CommandError::new(Exit::Unknown, format!("no plugin `{name}` is set aside"))
        .help("`taskbay quarantine list` shows those that are")
}

fn show(
    session: &Session,
    all: &[Evidence],
    write: impl Fn(&Evidence, &mut dyn Write) -> io::Result<()>,
) -> Result<(), CommandError> {
    let json = json!({"schema": "taskbay.quarantine/1", "plugins": all});
    session.report.data(&json, |out| {
        all.iter().try_for_each(|evidence| write(evidence, out))
    })
}

fn write_line(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}  {}", evidence.name, evidence.file.display())?;
    writeln!(out, "  cause: {}", evidence.summary())?;
    writeln!(out, "  help:  {}", evidence.help())
}

fn write_all(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    let none = || "-".to_owned();
    writeln!(out, "name:    {}", evidence.name)?;
    writeln!(out, "file:    {}", evidence.file.display())?;
    writeln!(
        out,
        "sha256:  {}",
        evidence.sha256.clone().unwrap_or_else(none)
    )?;
    writeln!(out, "time:    {}", evidence.time)?;
    writeln!(out, "phase:   {}", evidence.phase.describe())?;
    writeln!(out, "reason:  {}", evidence.reason)?;
    writeln!(
        out,
        "signal:  {}",
        evidence.signal.clone().unwrap_or_else(none)
    )?;
    let status = evidence.status.map(|status| status.to_string());
    writeln!(out, "status:  {}", status.unwrap_or_else(none))?;
    writeln!(
        out,
        "missing: {}",
        evidence.missing.clone().unwrap_or_else(none)
    )?;
    for line in &evidence.stderr {
        writeln!(out, "stderr:  {line}")?;
    }
    writeln!(out, "help:    {}", evidence.help())
}
