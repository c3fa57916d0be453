//! `taskbay validate`: is this task data valid?

use crate::{
    args::TaskArgs,
    error::CommandError,
    exit::Exit,
    input,
    session::{Session, find_loading},
};
use serde_json::{Value, json};

pub(crate) fn run(session: &Session, task: &TaskArgs) -> Result<Exit, CommandError> {
    let data = input::task_data(&task.data)?;
    let mut hosts = session.hosts();
    let file = &find_loading(&mut session.catalog(), &mut hosts, &task.name)?;
    let configured = hosts
        .configure(file, &data)
        .map_err(|failure| CommandError::failed(file.path(), failure))?;
    let data: Value = serde_json::from_str(&configured.data).map_err(|error| {
        CommandError::new(
            Exit::Refused,
            format!("plugin failed: {}", file.path().display()),
        )
        .cause(&format!("the data that it gave back is no JSON: {error}"))
    })?;
    let json = json!({
        "valid": true,
        "data": data,
        "label": configured.label(file.name().as_str()),
        "confinement": configured.declared.confinement,
    });
    session
        .report
        .data(&json, |out| writeln!(out, "valid: {data}"))?;
    Ok(Exit::Success)
}
