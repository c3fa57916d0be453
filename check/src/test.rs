//! One test of a plugin, and how it ended.

use crate::Level;
use serde::Serialize;
use std::time::Duration;
use taskbay_core::{TaskConfigError, shorten};
use taskbay_worker::Failure;

/// The longest message, in characters: it may quote what a plugin says.
const LONGEST: usize = 600;

/// One test of a plugin, and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Test {
    /// The level that it belongs to.
    pub level: Level,
    /// What is tested, in a word that scripts may rely on.
    #[serde(rename = "test")]
    pub name: &'static str,
    /// How it ended.
    pub status: Status,
    /// What was found; where it did not pass, the reason.
    pub message: Option<String>,
    /// What to do about it, where it did not pass.
    pub help: Option<String>,
    /// How long it took, in seconds.
    pub duration_s: f64,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The plugin is as it should be.
    Passed,
    /// It is not.
    Failed,
    /// It could not be tried.
    Skipped,
}

/// What a test that passed found out, and what is said of it.
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) message: String,
}

/// Why a test did not pass.
#[derive(Debug)]
pub(crate) enum Objection {
    /// The plugin is at fault.
    Fault { message: String, help: String },
    /// It could not be tried.
    Skip { message: String, help: String },
    /// Nothing can be tried any more.
    Broken(Failure),
}

/// What to do about a panic, of which the message says where it was.
pub(crate) const PANIC: &str = "return an error in that place, such as TaskError or TaskConfigError, for what can go wrong there";

pub(crate) type Tried<T> = Result<Found<T>, Objection>;

/// A test that passed and found out no more than that.
pub(crate) fn passed(message: impl Into<String>) -> Tried<()> {
    found((), message)
}

/// A test that passed.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the ends of a test are written alike, and two of them are errors"
)]
pub(crate) fn found<T>(value: T, message: impl Into<String>) -> Tried<T> {
    let message = message.into();
    Ok(Found { value, message })
}

/// A test that failed.
pub(crate) fn fault<T>(
    message: impl Into<String>,
    help: impl Into<String>,
) -> Result<T, Objection> {
    Err(Objection::Fault {
        message: message.into(),
        help: help.into(),
    })
}

/// A test that could not be made.
pub(crate) fn skip<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Objection> {
    Err(Objection::Skip {
        message: message.into(),
        help: help.into(),
    })
}

/// All faults of task data in a line.
pub(crate) fn join(faults: &[TaskConfigError]) -> String {
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    faults.join("; ")
}

impl Objection {
    /// The same, said of that.
    pub(crate) fn of(self, what: &str) -> Self {
        match self {
            Self::Fault { message, help } => Self::Fault {
                message: format!("{what}: {message}"),
                help,
            },
            other => other,
        }
    }
}

impl From<Failure> for Objection {
    fn from(failure: Failure) -> Self {
        if !failure.is_of_plugin() {
            return Self::Broken(failure);
        }
        let help = match &failure {
            Failure::Rejected(rejection) => rejection.help(),
            failure if failure.is_panic() => PANIC.to_owned(),
            Failure::Hung { .. } => {
                "find out where it waits, or allow more time with --plugin-timeout".to_owned()
            }
            failure if failure.is_crash() => {
                "`gdb --args taskbay --in-process --plugin-dir DIR schema NAME` shows where, or `analyze`, `validate` or \
                 `can-run` in the place of `schema`"
                    .to_owned()
            }
            Failure::Fault(_) => "answer whatever is asked, with less where less is known; -v shows what it logs".to_owned(),
            failure => failure.help(),
        };
        let message = match &failure {
            Failure::Invalid(faults) => join(faults),
            failure => failure.to_string(),
        };
        Self::Fault { message, help }
    }
}

impl Test {
    /// A test that was not made, for that reason.
    pub(crate) fn not_made(level: Level, name: &'static str, message: String) -> Self {
        Self {
            level,
            name,
            status: Status::Skipped,
            message: Some(message),
            help: None,
            duration_s: 0.0,
        }
    }

    pub(crate) fn new(
        level: Level,
        name: &'static str,
        status: Status,
        said: (String, String),
        duration: Duration,
    ) -> Self {
        let shown = |text: String| {
            let text = shorten(&text, LONGEST).into_owned();
            (!text.is_empty()).then_some(text)
        };
        Self {
            level,
            name,
            status,
            message: shown(said.0),
            help: shown(said.1),
            duration_s: duration.as_secs_f64(),
        }
    }
}
