//! `taskbay schema`: the JSON Schema of a task's data.

use crate::{
    error::CommandError,
    exit::Exit,
    session::{Session, find_loading},
};
use serde_json::Value;

pub(crate) fn run(session: &Session, name: &str) -> Result<Exit, CommandError> {
    let mut hosts = session.hosts();
    let file = &find_loading(&mut session.catalog(), &mut hosts, name)?;
    let described = hosts
        .describe(file)
        .map_err(|failure| CommandError::failed(file.path(), failure))?;
    // The schema that allows everything, for a task that has none.
    session
        .report
        .json(&described.schema.unwrap_or(Value::Bool(true)))?;
    Ok(Exit::Success)
}
