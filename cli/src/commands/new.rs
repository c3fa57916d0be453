//! `taskbay new`: a project for a new task.

use crate::{error::CommandError, exit::Exit, session::Session};
use serde_json::json;
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_core::TaskName;
use taskbay_project::{INTERFACE_DIRECTORY, Interface, Project, ProjectError, package};

/// The tasks that have packages of Taskbay's own, be they installed here or not.
const SHIPPED: [&str; 14] = [
    "assemblesignedsource",
    "autopkgtest",
    "blhc",
    "debdiff",
    "extractforsigning",
    "lintian",
    "makesourcepackageupload",
    "mergeuploads",
    "mmdebstrap",
    "noop",
    "piuparts",
    "sbuild",
    "simplesystemimagebuild",
    "sleep",
];

pub(crate) fn run(
    session: &Session,
    name: &str,
    directory: Option<PathBuf>,
    api_path: Option<PathBuf>,
) -> Result<Exit, CommandError> {
    let name = free_name(session, name)?;
    let directory = directory.unwrap_or_else(|| format!("taskbay-task-{name}").into());
    let api_path = api_path.unwrap_or_else(|| INTERFACE_DIRECTORY.into());
    let interface = Interface::find(&api_path).map_err(|missing| {
        CommandError::new(Exit::Unavailable, missing.to_string()).help(missing.help())
    })?;
    let project = Project::new(name.clone(), interface, maintainer());
    let files = project.write(&directory).map_err(|error| {
        let exit = match error {
            ProjectError::Exists(_) => Exit::Usage,
            ProjectError::Write { .. } => Exit::Unavailable,
        };
        CommandError::new(exit, error.to_string()).help(error.help())
    })?;
    let json = json!({
        "schema": "taskbay.new/1",
        "name": name,
        "directory": directory.display().to_string(),
        "files": files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(),
    });
    session.report.data(&json, |out| {
        writeln!(out, "{} has the task `{name}`", directory.display())?;
        for file in &files {
            writeln!(out, "  {}", file.display())?;
        }
        if directory == Path::new(".") {
            writeln!(out, "next: cargo test")
        } else {
            writeln!(out, "next: cd {} && cargo test", directory.display())
        }
    })?;
    Ok(Exit::Success)
}

/// The name, if a task may have it, and none on the search path and none that is shipped has it, nor one whose package
/// would have the same name.
fn free_name(session: &Session, text: &str) -> Result<TaskName, CommandError> {
    let rule = "a task's name is 1 to 64 ASCII lower case letters, digits, `_` or `-`";
    let refused = |cause: &str, help: String| {
        CommandError::new(Exit::Usage, format!("a task cannot be called `{text}`"))
            .cause(cause)
            .help(help)
    };
    let name = TaskName::fold(text).map_err(|_| refused(rule, "choose another name".into()))?;
    if name.as_str() != text {
        return Err(refused(rule, format!("call it `{name}`")));
    }
    let package_name = package(&name);
    if SHIPPED
        .map(|task| format!("taskbay-task-{task}"))
        .contains(&package_name)
    {
        return Err(refused(
            &format!("{package_name} is a package of Taskbay's own"),
            "choose another name: of two packages of one name one takes the other's place".into(),
        ));
    }
    let catalog = session.catalog();
    let mut claims = catalog.entries.iter().filter_map(|entry| {
        let claim = entry.claim.as_ref()?;
        Some((&claim.name, &entry.path))
    });
    match claims.find(|(other, _)| package(other) == package_name) {
        None => Ok(name),
        Some((other, file)) if *other == name => Err(refused(
            &format!("{} has that name", file.display()),
            "choose another name: of two plugins of one name only the first is used".into(),
        )),
        Some((other, file)) => Err(refused(
            &format!(
                "the package of `{other}`, {}, would be {package_name} too",
                file.display()
            ),
            "choose another name: of two packages of one name one takes the other's place".into(),
        )),
    }
}

/// Who looks after the packages: as Debian's tools are told, or else git.
fn maintainer() -> String {
    let git = |key: &str| {
        let asked = Command::new("git").args(["config", "--get", key]).output();
        let said = String::from_utf8(asked.ok()?.stdout).ok()?;
        Some(said.trim().to_owned()).filter(|said| !said.is_empty())
    };
    let name = env::var("DEBFULLNAME").ok().or_else(|| git("user.name"));
    let address = env::var("DEBEMAIL").ok().or_else(|| git("user.email"));
    let user = || env::var("USER").unwrap_or_else(|_| "root".to_owned());
    format!(
        "{} <{}>",
        name.unwrap_or_else(user),
        address.unwrap_or_else(|| format!("{}@localhost", user()))
    )
}
