//! Verdicts: whether a worker suits, with the reasons if not.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whether a worker may execute a task: yes when there are no reasons against it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Why not; empty for yes.
    pub reasons: Vec<Reason>,
}

/// One reason why a worker does not suit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// What kind of reason, for scripts.
    pub code: ReasonCode,
    /// The metadata key in question.
    pub key: Option<String>,
    /// What would have been needed under the key.
    pub wanted: Option<Value>,
    /// What was found under the key.
    pub found: Option<Value>,
    /// The reason for people.
    pub message: String,
}

/// The kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonCode {
    /// The worker has the task in another version.
    VersionMismatch,
    /// The worker does not have the task.
    TaskMissing,
    /// The worker is of a type that executes no tasks.
    WorkerType,
    /// A declared requirement does not hold.
    Requirement,
    /// The task's own code refused.
    Refused,
    /// An allow or deny list refused.
    Denied,
    /// The worker gets no requests now: it is disabled or draining, or was not seen for long.
    Unavailable,
    /// The task data is invalid.
    InvalidData,
    /// The plugin failed when it was asked.
    PluginFailed,
}

impl Verdict {
    /// Whether the worker suits.
    pub fn can_run(&self) -> bool {
        self.reasons.is_empty()
    }

    /// Whether there is none, since the plugin failed when it was asked.
    pub fn has_failed(&self) -> bool {
        let failed = |reason: &Reason| reason.code == ReasonCode::PluginFailed;
        self.reasons.iter().any(failed)
    }
}

impl Reason {
    /// A reason that is about no metadata key.
    pub fn new(code: ReasonCode, message: impl Into<String>) -> Self {
        Self {
            code,
            key: None,
            wanted: None,
            found: None,
            message: message.into(),
        }
    }
}

/// A task's own "no", with at least one reason in words.
///
/// ```
/// use taskbay_core::Refusal;
/// let refusal = Refusal::new("the moon is full").and("it is Monday");
/// assert_eq!(refusal.messages().len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(Vec<String>);

impl Refusal {
    /// Refuses for that reason.
    pub fn new(message: impl Into<String>) -> Self {
        Self(vec![message.into()])
    }

    /// Adds a reason.
    #[must_use]
    pub fn and(mut self, message: impl Into<String>) -> Self {
        self.0.push(message.into());
        self
    }

    /// All the reasons.
    pub fn messages(&self) -> &[String] {
        &self.0
    }

    /// All the reasons, by value.
    pub fn into_messages(self) -> Vec<String> {
        self.0
    }
}
