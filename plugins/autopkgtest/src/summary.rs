//! What autopkgtest says of each test, and what that comes to.

use crate::data::FailOn;
use serde_json::{Map, Value, json};
use std::path::Path;
use taskbay_debian::read_bounded;
use taskbay_plugin_api::TaskError;

/// More than any summary has, in bytes.
const LIMIT: u64 = 16 << 20;

/// What became of the tests.
#[derive(Debug, Default)]
pub(crate) struct Summary(Vec<Line>);

#[derive(Debug)]
struct Line {
    test: String,
    status: String,
    details: Option<String>,
}

impl Summary {
    /// Reads the summary file, which is not there where no test was run.
    pub(crate) fn read(file: &Path) -> Result<Self, TaskError> {
        if !file.exists() {
            return Ok(Self::default());
        }
        Ok(Self::parse(&read_bounded(file, LIMIT)?))
    }

    /// Reads what the summary file says. Lines that tell of no test are left out.
    pub(crate) fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let (name, rest) = line.split_once(char::is_whitespace)?;
            let rest = rest.trim();
            let (status, details) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let is_status = ["PASS", "FAIL", "SKIP", "FLAKY"].contains(&status);
            let details = Some(details.trim().to_owned()).filter(|details| !details.is_empty());
            is_status.then(|| Line {
                test: name.to_owned(),
                status: status.to_owned(),
                details,
            })
        };
        Self(text.lines().filter_map(line).collect())
    }

    /// The tests by name, with Debusine's words.
    pub(crate) fn results(&self) -> Value {
        let result = |line: &Line| {
            let result = json!({"status": line.status, "details": line.details});
            (line.test.clone(), result)
        };
        Value::Object(self.0.iter().map(result).collect::<Map<_, _>>())
    }

    /// Whether the run was a success, with the code that autopkgtest ended with. That the tests could not be run is an error.
    pub(crate) fn is_success(
        &self,
        fail_on: &FailOn,
        exit_code: Option<i32>,
    ) -> Result<bool, TaskError> {
        let has = |status: &str| self.0.iter().any(|line| line.status == status);
        match exit_code {
            Some(0 | 2 | 4 | 6 | 8 | 12 | 14) => {}
            Some(16) => {
                return Err(TaskError::new(
                    "autopkgtest could not use the environment: the log has its message",
                ));
            }
            other => {
                let code = other.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
                return Err(TaskError::new(format!(
                    "autopkgtest could not run the tests, and ended with {code}: the log has its message"
                )));
            }
        }
        let is_bad = fail_on.failed_test && has("FAIL")
            || fail_on.flaky_test && has("FLAKY")
            || fail_on.skipped_test && has("SKIP");
        let is_fine = match exit_code {
            Some(0 | 2 | 8) => true,
            Some(4) => !fail_on.failed_test,
            _ => false,
        };
        Ok(is_fine && !is_bad)
    }
}
