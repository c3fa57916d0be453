//! `taskbay worker`: what this machine offers, kept up to date.

use crate::{
    commands::analyze::note_failed,
    error::CommandError,
    exit::Exit,
    report::{has_reader, note},
    session::Session,
};
use rustix::system::uname;
use serde_json::json;
use std::{collections::HashSet, time::Duration};
use taskbay_core::Metadata;
use taskbay_loader::{Catalog, Rejection};
use taskbay_worker::Offer;

/// How often the abort latch is looked at.
const LOOK: Duration = Duration::from_millis(100);

pub(crate) fn run(session: &Session, name: Option<String>) -> Result<Exit, CommandError> {
    let name = name.unwrap_or_else(|| uname().nodename().to_string_lossy().into_owned());
    let mut offer = Offer::new(session.live()?, session.hosts());
    let mut noted = HashSet::new();
    while !session.abort.is_set() && has_reader() {
        let described = match offer.wait(LOOK) {
            // It was told to end just as it asked a plugin.
            Err(_) if session.abort.is_set() => break,
            // The machine may have what it lacks in a while. What was said last still holds as far as anybody knows.
            Err(failure) => {
                note(&format!("warning: {failure}; trying again"));
                Offer::wait_before_retry(&session.abort);
                None
            }
            Ok(described) => described,
        };
        note_refused(offer.catalog(), &mut noted);
        if let Some(analysis) = described {
            note_failed(&analysis);
            write(session, &name, &analysis.metadata)?;
        }
    }
    Ok(Exit::Success)
}

/// Says why files are not used, and directories not read: each once.
fn note_refused(catalog: &Catalog, noted: &mut HashSet<String>) {
    // What is being written is whole in a moment.
    let is_final = |rejection: &Rejection| !matches!(rejection, Rejection::Unfinished);
    let rejected = catalog.rejected().filter(|(_, why)| is_final(why));
    let refused = rejected.map(|(file, rejection)| {
        let file = file.display();
        format!(
            "warning: {file} is not used: {rejection}; {}",
            rejection.help()
        )
    });
    let findings = catalog
        .findings
        .iter()
        .map(|finding| format!("warning: {finding}: {}; {}", finding.reason, finding.help()));
    let now: HashSet<String> = refused.chain(findings).collect();
    for message in now.difference(noted) {
        note(message);
    }
    *noted = now;
}

fn write(session: &Session, name: &str, metadata: &Metadata) -> Result<(), CommandError> {
    let json = json!({"schema": "taskbay.worker/1", "name": name, "metadata": metadata});
    session.report.data(&json, |out| {
        let offered: Vec<_> = metadata
            .iter()
            .filter_map(|(key, version)| {
                Some(format!("{} {version}", key.strip_suffix(":version")?))
            })
            .collect();
        let offered = match offered.join(", ") {
            nothing if nothing.is_empty() => "nothing".to_owned(),
            offered => offered,
        };
        writeln!(out, "{name} offers {offered}")?;
        out.flush()
    })
}
