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
    /// The highest level that is proven: every test of it and of those below passed, and none was skipped.
    pub proven: Option<Level>,
    /// How many tests were skipped.
    pub skipped: usize,
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

    /// Whether each file passed, and no test was skipped.
    pub fn is_complete(&self) -> bool {
        self.passed && self.files.iter().all(|file| file.skipped == 0)
    }

    /// Leaves out the tests that did not fail; with `skipped` those stay that have a reason of their own not to be made.
    pub fn keep_failed(&mut self, skipped: bool) {
        let stays = |test: &Test| match test.status {
            Status::Failed => true,
            Status::Skipped => skipped && test.help.is_some(),
            Status::Passed => false,
        };
        for file in &mut self.files {
            file.tests.retain(stays);
        }
    }
}

impl FileReport {
    /// What is said of a file after these tests; the task's name and version are not.
    pub(crate) fn new(file: String, level: Level, tests: Vec<Test>) -> Self {
        let count = |status| tests.iter().filter(|test| test.status == status).count();
        Self {
            file,
            sha256: None,
            name: None,
            version: None,
            passed: count(Status::Failed) == 0,
            level,
            proven: proven(&tests),
            skipped: count(Status::Skipped),
            seed: None,
            tests,
        }
    }

    /// How it ended in a line: which level is proven, and why no higher one is.
    pub fn summary(&self) -> String {
        let first = |status| self.tests.iter().find(|test| test.status == status);
        let counts = self.counts();
        if let Some(failed) = first(Status::Failed) {
            let proven = self
                .proven
                .map(|level| format!(", and passed up to level {level}"));
            let proven = proven.unwrap_or_default();
            return format!("failed at level {}{proven}: {counts}", failed.level);
        }
        let ended = match (self.proven, self.seed) {
            (Some(proven), _) if proven == self.level => format!("passed up to level {proven}"),
            // That seed alone was to be tried.
            (_, Some(seed)) if self.skipped == 0 => {
                format!("passed with the task data of seed {seed}")
            }
            (Some(proven), _) => format!("passed up to level {proven} of {}", self.level),
            (None, _) => "passed no level whole".to_owned(),
        };
        let why = first(Status::Skipped).map(|test| {
            let message = test.message.as_deref().unwrap_or_default();
            format!(": `{}`: {message}", test.name)
        });
        format!("{ended}: {counts}{}", why.unwrap_or_default())
    }

    /// How many tests ended how.
    fn counts(&self) -> String {
        let counts = [
            (Status::Failed, "failed"),
            (Status::Passed, "passed"),
            (Status::Skipped, "skipped"),
        ];
        let counts = counts.map(|(status, word)| (self.count(status), word));
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        counts.join(", ")
    }

    /// How many tests ended so.
    pub fn count(&self, status: Status) -> usize {
        let tests = self.tests.iter();
        tests.filter(|test| test.status == status).count()
    }
}

/// The highest level up to which every test was made, and passed.
fn proven(tests: &[Test]) -> Option<Level> {
    let has_passed = |level: &Level| {
        let mut of_level = tests.iter().filter(|test| test.level == *level).peekable();
        of_level.peek().is_some() && of_level.all(|test| test.status == Status::Passed)
    };
    Level::ALL.into_iter().take_while(has_passed).last()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    fn file(status: Status) -> FileReport {
        let said = ("why".to_owned(), String::new());
        let test = Test::new(
            Level::Loads,
            "load",
            status,
            said,
            Duration::from_millis(500),
        );
        FileReport {
            sha256: Some("00".to_owned()),
            name: Some("x".to_owned()),
            version: Some(1),
            ..FileReport::new("x.so".to_owned(), Level::Executes, vec![test])
        }
    }

    #[test]
    fn one_failed_test_fails_all() {
        let mut report = Report::new(vec![file(Status::Skipped), file(Status::Failed)]);
        assert!(!report.passed);
        report.keep_failed(false);
        assert_eq!(report.files[0].tests, []);
        assert_eq!(report.files[1].count(Status::Failed), 1);
        let report = Report::new(vec![file(Status::Passed), file(Status::Skipped)]);
        assert!(report.passed && !report.is_complete());
        assert!(Report::new(vec![file(Status::Passed)]).is_complete());
    }

    #[test]
    fn its_json_is_what_scripts_rely_on() {
        let report = serde_json::to_value(Report::new(vec![file(Status::Failed)])).unwrap();
        let test = json!({
            "level": 1, "test": "load", "status": "failed", "message": "why", "help": null, "duration_s": 0.5,
        });
        let expected = json!({"schema": "taskbay.check/1", "passed": false, "files": [{
            "file": "x.so", "sha256": "00", "name": "x", "version": 1, "passed": false, "level": 3, "seed": null, "proven": null, "skipped": 0,
            "tests": [test],
        }]});
        assert_eq!(report, expected);
    }

    #[test]
    fn a_level_is_proven_where_none_below_it_lacks_a_test() {
        use Status::{Failed, Passed, Skipped};
        let proven = |ended: &[(Level, Status)]| {
            let tests = ended.iter().map(|(level, status)| {
                let said = (String::new(), String::new());
                Test::new(*level, "test", *status, said, Duration::ZERO)
            });
            FileReport::new(String::new(), Level::Endures, tests.collect()).proven
        };
        let [zero, one, two, ..] = Level::ALL;
        assert_eq!(proven(&[]), None);
        assert_eq!(proven(&[(zero, Failed), (one, Passed)]), None);
        assert_eq!(
            proven(&[(zero, Passed), (one, Skipped), (one, Passed)]),
            Some(zero)
        );
        assert_eq!(
            proven(&[(zero, Passed), (one, Passed), (two, Passed)]),
            Some(two)
        );
        assert_eq!(proven(&[(zero, Passed), (two, Passed)]), Some(zero));
    }
}
