//! What was found out about plugin files.

use crate::{Level, Status, Test};
use serde::Serialize;

/// What was found out about plugin files. Its JSON is what scripts rely on: keys may be added, none renamed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Which form this has.
    pub schema: &'static str,
    /// Whether no test of any file failed.
    pub passed: bool,
    /// The files, in the order in which they were named.
    pub files: Vec<FileReport>,
}

/// What was found out about one file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileReport {
    /// The path as named.
    pub file: String,
    /// The SHA-256 of what was checked, in hexadecimal digits; none where it is no file that can be a plugin.
    pub sha256: Option<String>,
    /// The task's name, where it is known.
    pub name: Option<String>,
    /// The task's version, where it is known.
    pub version: Option<u32>,
    /// Whether no test failed.
    pub passed: bool,
    /// The highest level that was asked for.
    pub level: Level,
    /// Which made-up task data was tried: the seed of the case that failed, or of the first one.
    pub seed: Option<u32>,
    /// The tests, in the order in which they were made.
    pub tests: Vec<Test>,
}

impl Report {
    /// A report on those files.
    pub fn new(files: Vec<FileReport>) -> Self {
        Self {
            schema: "taskbay.check/1",
            passed: files.iter().all(|file| file.passed),
            files,
        }
    }

    /// Leaves out the tests that did not fail.
    pub fn keep_failed(&mut self) {
        for file in &mut self.files {
            file.tests.retain(|test| test.status == Status::Failed);
        }
    }
}

impl FileReport {
    /// How many tests ended so.
    pub fn count(&self, status: Status) -> usize {
        let tests = self.tests.iter();
        tests.filter(|test| test.status == status).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    fn file(status: Status) -> FileReport {
        let said = ("why".to_owned(), String::new());
        FileReport {
            file: "x.so".to_owned(),
            sha256: Some("00".to_owned()),
            name: Some("x".to_owned()),
            version: Some(1),
            passed: status != Status::Failed,
            level: Level::Executes,
            seed: None,
            tests: vec![Test::new(
                Level::Loads,
                "load",
                status,
                said,
                Duration::from_millis(500),
            )],
        }
    }

    #[test]
    fn one_failed_test_fails_all() {
        let mut report = Report::new(vec![file(Status::Skipped), file(Status::Failed)]);
        assert!(!report.passed);
        report.keep_failed();
        assert_eq!(report.files[0].tests, []);
        assert_eq!(report.files[1].count(Status::Failed), 1);
        assert!(Report::new(vec![file(Status::Passed), file(Status::Skipped)]).passed);
    }

    #[test]
    fn its_json_is_what_scripts_rely_on() {
        let report = serde_json::to_value(Report::new(vec![file(Status::Failed)])).unwrap();
        let test = json!({
            "level": 1, "test": "load", "status": "failed", "message": "why", "help": null, "duration_s": 0.5,
        });
        let expected = json!({"schema": "taskbay.check/1", "passed": false, "files": [{
            "file": "x.so", "sha256": "00", "name": "x", "version": 1, "passed": false, "level": 3, "seed": null,
            "tests": [test],
        }]});
        assert_eq!(report, expected);
    }
}
