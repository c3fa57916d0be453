//! What is answered.

use serde::Serialize;
use serde_json::{Value, value::RawValue};
use taskbay_core::{Metadata, Reason, Requirement, TaskConfigError};
use taskbay_loader::Row;
use taskbay_scheduler::{Explanation, Matchable, NotAsked};
use taskbay_worker::Unmatchable;

/// An answer.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Answer {
    Tasks(Tasks),
    Schema { version: u32, schema: Option<Value> },
    Valid(Valid),
    Verdict { can_run: bool, reasons: Vec<Reason> },
    Explained(Box<Explanation>),
    Metadata(Metadata),
    Refused { error: Refused },
}

/// The plugin files.
#[derive(Debug, Serialize)]
pub(super) struct Tasks {
    pub(super) schema: &'static str,
    /// Changes whenever they do.
    pub(super) generation: u64,
    /// Not there where whoever asks knows them.
    #[serde(rename = "tasks", skip_serializing_if = "Option::is_none")]
    pub(super) files: Option<Vec<Row>>,
}

/// What a task makes of data that is valid.
#[derive(Debug, Serialize)]
pub(super) struct Valid {
    task: String,
    version: u32,
    data: Box<RawValue>,
    requirements: Vec<Requirement>,
    label: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, Serialize)]
pub(super) struct Refused {
    code: Code,
    message: String,
    /// What is wrong with the data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<TaskConfigError>,
}

/// What kind of reason it is.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Code {
    /// The question is none.
    Question,
    UnknownTask,
    InvalidData,
    PluginFailed,
    /// No plugin can be asked, for which none is to blame.
    NotAsked,
}

impl Answer {
    /// Whether a worker suits.
    pub(super) fn verdict(reasons: Vec<Reason>) -> Self {
        Self::Verdict {
            can_run: reasons.is_empty(),
            reasons,
        }
    }

    /// As one line.
    pub(super) fn line(&self) -> String {
        // What is written here has nothing that JSON lacks: its keys are texts.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl From<Explanation> for Answer {
    fn from(explained: Explanation) -> Self {
        Self::Explained(Box::new(explained))
    }
}

impl From<Result<Answer, Refused>> for Answer {
    fn from(answer: Result<Answer, Refused>) -> Self {
        answer.unwrap_or_else(|error| Self::Refused { error })
    }
}

impl Valid {
    pub(super) fn new(task: &Matchable, label: Option<&str>) -> Result<Self, Refused> {
        let conditions = task.conditions();
        let data = RawValue::from_string(task.data().to_owned());
        Ok(Self {
            task: conditions.task().to_string(),
            version: conditions.version(),
            data: data.map_err(|error| Refused::new(Code::PluginFailed, error.to_string()))?,
            requirements: conditions.requirements().to_vec(),
            label: label.map(ToOwned::to_owned),
        })
    }
}

impl Refused {
    fn new(code: Code, message: String) -> Self {
        Self {
            code,
            message,
            faults: Vec::new(),
        }
    }

    /// The line is no question.
    pub(super) fn question(error: &serde_json::Error) -> Self {
        let message = format!("the question is none: {error}; `taskbay answer --help` shows them");
        Self::new(Code::Question, message)
    }

    /// What was just made known is not known.
    pub(super) fn lost() -> Self {
        Self::new(Code::NotAsked, "the request is not known".to_owned())
    }
}

impl From<Unmatchable> for Refused {
    fn from(error: Unmatchable) -> Self {
        let code = match &error {
            Unmatchable::Unknown(_) => Code::UnknownTask,
            Unmatchable::Invalid(_) => Code::InvalidData,
            Unmatchable::Failed { .. } => Code::PluginFailed,
            Unmatchable::NotAsked(_) => Code::NotAsked,
        };
        let mut refused = Self::new(code, error.to_string());
        if let Unmatchable::Invalid(faults) = error {
            refused.faults = faults;
        }
        refused
    }
}

impl From<NotAsked> for Refused {
    fn from(error: NotAsked) -> Self {
        Self::new(Code::NotAsked, error.to_string())
    }
}
