//! A work request, as a server gives it.

use crate::{dialect::Dialect, fault::Fault, resolved, token::Token, unsaid};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use taskbay_core::TaskName;
use taskbay_engine::limits::{LONGEST_DOCUMENT, LONGEST_NAME};

/// A work request, as a server gives it.
#[derive(Debug, Deserialize)]
pub(crate) struct WorkRequest {
    /// Its number.
    pub(crate) id: i64,
    task_name: String,
    task_type: String,
    task_data: Value,
    #[serde(default)]
    dynamic_task_data: Value,
    /// The workspace in which its artifacts are.
    pub(crate) workspace: String,
    /// The scope that the workspace is in, where the server has several.
    pub(crate) scope: Option<String>,
    token: Option<String>,
    #[serde(default)]
    priority_base: i32,
    #[serde(default)]
    priority_adjustment: i32,
}

/// What of a work request is executed.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) task: TaskName,
    /// The task's data as a JSON text, in which the server's answers stand for lookups.
    pub(crate) data: String,
}

/// Why a work request is not executed: a code of Debusine's, and what is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl WorkRequest {
    /// Refuses what would mislead: names that are too long, and a token that is none.
    pub(crate) fn checked(self) -> Result<Self, Fault> {
        let what = "what is to be done";
        let texts = [Some(&self.workspace), self.scope.as_ref()];
        let is_name = |text: &&String| {
            !text.is_empty() && text.len() <= LONGEST_NAME && !text.contains(char::is_control)
        };
        if !texts.into_iter().flatten().all(|text| is_name(&text)) {
            return Err(Fault::malformed(
                what,
                "its workspace or scope has no usable name",
            ));
        }
        if self
            .token
            .as_deref()
            .is_some_and(|token| Token::parse(token).is_none())
        {
            return Err(Fault::malformed(what, "its token is none"));
        }
        Ok(self)
    }

    /// The token for this request alone, where it has one.
    pub(crate) fn token(&self) -> Option<Token> {
        Token::parse(self.token.as_deref()?)
    }

    pub(crate) fn priority(&self) -> i32 {
        self.priority_base.saturating_add(self.priority_adjustment)
    }

    /// The task's name as the server has it, for messages.
    pub(crate) fn task_name(&self) -> String {
        taskbay_core::shorten(&self.task_name, 200).into_owned()
    }

    /// By what the same request is known under another number: its task and data.
    pub(crate) fn data_hash(&self) -> String {
        let text = format!("{}\n{}", self.task_name, self.task_data);
        let mut hash = String::new();
        for byte in Sha256::digest(text.as_bytes()) {
            // Writing to a String cannot fail.
            let _ = write!(hash, "{byte:02x}");
        }
        hash
    }

    /// What is to be executed, as a server means it that speaks so.
    ///
    /// # Errors
    ///
    /// When it is nothing for a worker.
    pub(crate) fn work(&self, dialect: Dialect) -> Result<Work, Unreadable> {
        let name = self.task_name();
        if !self.task_type.eq_ignore_ascii_case("worker") {
            let kind = taskbay_core::shorten(&self.task_type, 200);
            return Err(Unreadable {
                code: "wrong-task-type",
                message: format!(
                    "Task: {name} is of type `{kind}`, and this is no worker of that type"
                ),
            });
        }
        let task = TaskName::fold(&self.task_name).map_err(|error| Unreadable {
            code: "setup-failed",
            message: format!("Task: {name} Error setup: {error}"),
        })?;
        let mut data = resolved::resolved(&self.task_data, &self.dynamic_task_data);
        unsaid::say(dialect, task.as_str(), &mut data, &self.dynamic_task_data);
        let data = data.to_string();
        if data.len() > LONGEST_DOCUMENT {
            return Err(Unreadable {
                code: "configure-failed",
                message: format!(
                    "Task: {name} Error configure: its data has {} bytes, and at most {LONGEST_DOCUMENT} are taken",
                    data.len()
                ),
            });
        }
        Ok(Work { task, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a server gave it.
    const GIVEN: &str = r#"{"id":65,"task_name":"sbuild","created_at":"2026-11-24T04:39:00.371181Z","created_by":2,"started_at":null,"completed_at":null,"duration":null,"worker":8,"task_type":"Worker","task_data":{"input":{"source_artifact":"internal@collections/name:x"},"backend":"unshare","environment":"debian/match:codename=trixie","build_components":["all"],"host_architecture":"amd64"},"dynamic_task_data":{"subject":"tiny","environment_id":63,"runtime_context":"all:amd64:amd64","binnmu_maintainer":"Debusine <noreply@localhost>","configuration_context":"trixie","input_source_artifact_id":65,"input_extra_binary_artifacts_ids":[]},"priority_base":5,"priority_adjustment":-7,"workflow_data":{},"event_reactions":{},"status":"pending","result":"","artifacts":[],"workspace":"System"}"#;

    fn parse(text: &str) -> Result<WorkRequest, Fault> {
        serde_json::from_str::<WorkRequest>(text).unwrap().checked()
    }

    #[test]
    fn a_request_is_read() {
        let request = parse(GIVEN).unwrap();
        assert_eq!((request.id, request.priority()), (65, -2));
        assert!(request.token().is_none());
        let work = request.work(Dialect::Plain).unwrap();
        assert_eq!(work.task.as_str(), "sbuild");
        let data: Value = serde_json::from_str(&work.data).unwrap();
        assert_eq!(data["environment"], 63);
        assert_eq!(data["input"]["source_artifact"], 65);
    }

    #[test]
    fn the_same_request_is_known_under_another_number() {
        let request = parse(GIVEN).unwrap();
        let again = parse(&GIVEN.replace(r#""id":65"#, r#""id":66"#)).unwrap();
        assert_eq!(request.data_hash(), again.data_hash());
        let other = parse(&GIVEN.replace("amd64", "arm64")).unwrap();
        assert_ne!(request.data_hash(), other.data_hash());
    }

    #[test]
    fn what_is_nothing_for_a_worker_is_told() {
        let code = |text: &str| parse(text).unwrap().work(Dialect::Plain).unwrap_err().code;
        let server = GIVEN.replace(r#""Worker""#, r#""Server""#);
        assert_eq!(code(&server), "wrong-task-type");
        let nameless = GIVEN.replace(r#""sbuild""#, r#""../x""#);
        assert_eq!(code(&nameless), "setup-failed");
        let long = GIVEN.replace("amd64", &"x".repeat(LONGEST_DOCUMENT));
        assert_eq!(code(&long), "configure-failed");
        assert!(parse(&GIVEN.replace(r#""System""#, r#""a\nb""#)).is_err());
        let token = GIVEN.replace(r#""id":65"#, r#""id":65,"token":"a b""#);
        assert!(parse(&token).is_err());
    }
}
