//! `taskbay list --follow`: the tasks that come, go, and are replaced.

use crate::{
    error::CommandError,
    exit::Exit,
    report::{Plain, has_reader},
    session::Session,
};
use serde_json::json;
use std::{
    io::{self, Write},
    time::Duration,
};
use taskbay_worker::Change;

/// How often the abort latch is looked at, and whether anybody still reads.
const LOOK: Duration = Duration::from_millis(100);

pub(crate) fn run(session: &Session) -> Result<Exit, CommandError> {
    let mut live = session.live()?;
    while !session.abort.is_set() && has_reader() {
        for change in live.wait(LOOK) {
            if write(session.global.json, &change).is_err() {
                // Whoever read it has what they wanted.
                return Ok(Exit::Success);
            }
        }
    }
    Ok(Exit::Success)
}

fn write(as_json: bool, change: &Change) -> io::Result<()> {
    let plugin = change.plugin();
    let (name, version) = (plugin.name(), plugin.manifest().version);
    let file = plugin.path().display();
    let mut out = Plain(io::stdout().lock());
    if as_json {
        let json = json!({
            "change": change.as_str(),
            "name": name,
            "version": version,
            "file": file.to_string(),
        });
        writeln!(out, "{json}")?;
    } else {
        writeln!(out, "{:8}  {name} {version}  {file}", change.as_str())?;
    }
    out.flush()
}
