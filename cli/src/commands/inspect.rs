//! `taskbay inspect`: what a plugin file says of itself. None of its code runs.

use crate::{
    error::CommandError,
    exit::Exit,
    session::{Session, find},
};
use serde_json::json;
use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};
use taskbay_core::shorten;
use taskbay_loader::{Admissible, Catalog, State};

/// The most that is shown of what a file says of itself, in characters.
const LONGEST: usize = 100;

pub(crate) fn run(session: &Session, plugin: &OsStr) -> Result<Exit, CommandError> {
    let path = Path::new(plugin);
    let is_file = plugin.as_bytes().contains(&b'/') || path.extension().is_some();
    let catalog = if is_file {
        if path.symlink_metadata().is_err() {
            return Err(CommandError::new(
                Exit::Unknown,
                format!("there is no file {}", path.display()),
            )
            .help("name a plugin file, or a task that `taskbay list` shows"));
        }
        Catalog::of_file(path, session.policy)
    } else {
        session.catalog()
    };
    let admissible = match catalog.entries.first() {
        Some(entry) if is_file => match &entry.state {
            State::Rejected(rejection) => {
                return Err(CommandError::rejected(&entry.path, rejection));
            }
            State::Usable(admissible) | State::Shadowed { admissible, .. } => admissible,
        },
        _ => find(&catalog, &plugin.to_string_lossy())?,
    };
    show(session, admissible)?;
    Ok(Exit::Success)
}

fn show(session: &Session, admissible: &Admissible) -> Result<(), CommandError> {
    let manifest = admissible.manifest();
    let file = admissible.path().display().to_string();
    let resolved = admissible.resolved().display().to_string();
    let size = admissible.identity().size();
    let json = json!({
        "schema": "taskbay.inspect/1",
        "name": admissible.name(),
        "version": manifest.version,
        "api": manifest.api,
        "package": manifest.package,
        "package_version": manifest.package_version,
        "panic": manifest.panic,
        "interface": manifest.interface,
        "file": file,
        "resolved": resolved,
        "size": size,
    });
    session.report.data(&json, |out| {
        writeln!(out, "name:     {}", admissible.name())?;
        writeln!(out, "version:  {}", manifest.version)?;
        writeln!(out, "api:      {}", manifest.api)?;
        writeln!(
            out,
            "package:  {} {}",
            shorten(&manifest.package, LONGEST),
            shorten(&manifest.package_version, LONGEST)
        )?;
        writeln!(out, "file:     {file}")?;
        if resolved != file {
            writeln!(out, "resolved: {resolved}")?;
        }
        writeln!(out, "size:     {size} bytes")
    })
}
