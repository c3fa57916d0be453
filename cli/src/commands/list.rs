//! `taskbay list`: the plugin files, usable or not, and why not.

use crate::{
    error::CommandError,
    exit::Exit,
    report::{note, plain},
    session::Session,
};
use serde_json::json;
use std::io::{self, Write};
use taskbay_loader::{Catalog, Entry, Row, State, Status};
use taskbay_worker::Failure;

pub(crate) fn run(session: &Session, load: bool, strict: bool) -> Result<Exit, CommandError> {
    let mut catalog = session.catalog();
    if load {
        load_all(session, &mut catalog)?;
    }
    let rows: Vec<_> = catalog.entries.iter().map(Entry::row).collect();
    let findings: Vec<_> = catalog
        .findings
        .iter()
        .map(|finding| {
            json!({
                "directory": finding.directory.display().to_string(),
                "reason": finding.reason.to_string(),
                "help": finding.help(),
            })
        })
        .collect();
    let json = json!({"schema": "taskbay.list/1", "tasks": rows, "findings": findings});
    session.report.data(&json, |out| write_rows(&rows, out))?;
    if rows.is_empty() {
        note("there are no plugin files; `taskbay paths` shows where they are looked for");
    }
    let is_clean = rows.iter().all(|row| row.status == Status::Ok) && findings.is_empty();
    Ok(if strict && !is_clean {
        Exit::Refused
    } else {
        Exit::Success
    })
}

/// Loads every plugin, each its own fault domain; what that tells goes into the catalog.
fn load_all(session: &Session, catalog: &mut Catalog) -> Result<(), CommandError> {
    let mut hosts = session.hosts();
    let mut has_answered = false;
    let mut untried = None;
    for index in 0..catalog.entries.len() {
        let State::Usable(admissible) = &catalog.entries[index].state else {
            continue;
        };
        match hosts.describe(admissible) {
            Ok(_) => has_answered = true,
            Err(failure @ Failure::Interrupted) => {
                return Err(CommandError::failed(admissible.path(), failure));
            }
            Err(failure) => {
                if failure.is_of_plugin() {
                    has_answered = true;
                } else {
                    untried = Some(CommandError::not_asked(&failure));
                }
                // A later file of the same name takes its place, and its turn is still to come.
                catalog.reject(index, failure.into_rejection());
            }
        }
    }
    // Where a single one was tried, what is known of all is worth more than that some were not.
    untried.filter(|_| !has_answered).map_or(Ok(()), Err)
}

fn write_rows(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let name = |row: &Row| row.name.clone().unwrap_or_else(|| "-".to_owned());
    let width = rows
        .iter()
        .map(|row| name(row).len())
        .max()
        .unwrap_or(0)
        .max(4);
    if !rows.is_empty() {
        writeln!(out, "{:width$}  VERSION  STATUS       FILE", "NAME")?;
    }
    for row in rows {
        let version = row
            .version
            .map_or_else(|| "-".to_owned(), |version| version.to_string());
        let status = match row.status {
            Status::Ok => "ok",
            Status::Rejected => "rejected",
            Status::Shadowed => "shadowed",
            Status::Quarantined => "quarantined",
        };
        writeln!(
            out,
            "{:width$}  {version:7}  {status:11}  {}",
            name(row),
            plain(&row.file)
        )?;
        if let Some(reason) = &row.reason {
            writeln!(out, "  cause: {}", plain(reason))?;
        }
        if let Some(help) = &row.help {
            writeln!(out, "  help:  {}", plain(help))?;
        }
    }
    Ok(())
}
