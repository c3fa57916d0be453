//! Documents named on the command line.

use crate::{error::CommandError, exit::Exit};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read},
    os::unix::ffi::OsStrExt,
    path::Path,
};
use taskbay_core::{Metadata, TaskConfigError};

/// The text of a document: the argument itself when it starts with `{` or `[`, standard input for `-`, else a file.
///
/// # Errors
///
/// When it cannot be read, or is no UTF-8.
pub(crate) fn read(argument: &OsStr) -> Result<String, CommandError> {
    let text = text(argument)?;
    // Any depth is fine here: whoever reads more of it than whether it is JSON has a limit.
    let mut reader = serde_json::Deserializer::from_str(&text);
    IgnoredAny::deserialize(&mut reader)
        .and_then(|_| reader.end())
        .map_err(|error| invalid(argument, &format!("not valid JSON: {error}")))?;
    Ok(text)
}

/// Task data, read as [`read`] reads it.
///
/// # Errors
///
/// As [`read`]; a file that was never meant to be task data is told apart from one that has a mistake.
pub(crate) fn task_data(argument: &OsStr) -> Result<String, CommandError> {
    read(argument).map_err(|mut error| {
        let text = argument.as_bytes().trim_ascii_start();
        let is_named = !matches!(text, [b'{' | b'[', ..] | b"-");
        let (Some(fault), true) = (error.faults.first_mut(), is_named) else {
            return error;
        };
        if is_meant_as_json(Path::new(argument)) {
            return error;
        }
        let file = argument.to_string_lossy();
        fault.message = format!(
            "{file} stands where the task data belongs, and is no JSON; name it in that, if the task shall work on it"
        );
        error.help("write task data as JSON, such as `{}`; `taskbay schema NAME` shows what it may say")
    })
}

/// Whether a file is called as JSON is, or begins as it does.
fn is_meant_as_json(file: &Path) -> bool {
    let mut start = [0; 64];
    let opened = File::open(file).and_then(|mut file| file.read(&mut start));
    let start = start[..opened.unwrap_or(0)].trim_ascii_start();
    matches!(start, [b'{' | b'[', ..]) || file.extension().is_some_and(|end| end == "json")
}

/// A line of a document that has an object on each.
#[derive(Debug)]
pub(crate) struct Line<T> {
    /// Its number, from 1.
    pub(crate) number: usize,
    /// The line.
    pub(crate) text: String,
    /// The object, or why it is none.
    pub(crate) object: Result<T, String>,
}

/// The lines of a document that has an object on each, read as [`read`] reads it; empty lines are none.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn lines<T: DeserializeOwned>(argument: &OsStr) -> Result<Vec<Line<T>>, CommandError> {
    let text = text(argument)?;
    let lines = (1..).zip(text.lines());
    let filled = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    let read = filled.map(|(number, line)| Line {
        number,
        text: line.to_owned(),
        object: serde_json::from_str(line).map_err(|error| error.to_string()),
    });
    Ok(read.collect())
}

fn text(argument: &OsStr) -> Result<String, CommandError> {
    let bytes = argument.as_bytes();
    let bytes = match bytes.trim_ascii_start().first() {
        Some(b'{' | b'[') => bytes.to_vec(),
        _ if bytes == b"-" => {
            let mut text = Vec::new();
            io::stdin()
                .read_to_end(&mut text)
                .map_err(|error| unreadable("standard input", Exit::Unavailable, &error))?;
            text
        }
        _ => fs::read(argument).map_err(|error| {
            let name = argument.to_string_lossy();
            unreadable(&name, Exit::Unknown, &error).help(
                "name a file, or write JSON that starts with `{` or `[`; `-` is standard input",
            )
        })?,
    };
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        invalid(
            argument,
            &format!("not valid UTF-8 after {at} bytes, and JSON is"),
        )
    })
}

/// The document is not what it should be, wherever it came from.
fn invalid(argument: &OsStr, fault: &str) -> CommandError {
    let document = named(argument);
    let mut error =
        CommandError::new(Exit::No, "that is no JSON document").help("write JSON, such as `{}`");
    error.faults = vec![TaskConfigError::new("", format!("{document} is {fault}"))];
    error
}

fn named(argument: &OsStr) -> String {
    match argument.as_bytes().trim_ascii_start().first() {
        Some(b'{' | b'[') => "the argument".to_owned(),
        _ if argument == "-" => "standard input".to_owned(),
        _ => argument.to_string_lossy().into_owned(),
    }
}

/// Worker metadata, read as [`read`] reads it.
///
/// # Errors
///
/// As [`read`], and when it is no JSON object.
pub(crate) fn metadata(argument: &OsStr) -> Result<Metadata, CommandError> {
    let text = read(argument)?;
    Metadata::parse(&text).map_err(|error| {
        let failed = CommandError::new(Exit::No, error.to_string())
            .help("`taskbay analyze` prints what it should look like");
        match std::error::Error::source(&error) {
            Some(source) => failed.cause(source),
            None => failed,
        }
    })
}

fn unreadable(name: &str, exit: Exit, error: &io::Error) -> CommandError {
    CommandError::new(exit, format!("cannot read {name}")).cause(&error)
}
