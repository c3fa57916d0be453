//! What an attempt says, on disk until it is given to the server.

use crate::{fault::Fault, record::Shelf, upload::Draft};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};
use taskbay_engine::{LogLevel, NewLogLine, limits::LONGEST_LOG};

/// What commands printed, by the name that Debusine gives it.
const OUTPUT: &str = "cmd-output.log";
/// What the task and its host said.
const TOLD: &str = "task.log";
const CATEGORY: &str = "debusine:work-request-debug-logs";

/// What an attempt says, on disk until it is given to the server, which takes it as an artifact at the end.
#[derive(Debug)]
pub(crate) struct DebugLogs {
    shelf: Shelf,
    written: Mutex<usize>,
}

impl DebugLogs {
    /// Those of a new attempt; what the last one said goes.
    pub(crate) fn begin(shelf: Shelf) -> Self {
        for name in [OUTPUT, TOLD] {
            // Most attempts say nothing.
            let _ = fs::remove_file(shelf.file(name));
        }
        Self::of_before(shelf)
    }

    /// Those of an attempt that an earlier process made.
    pub(crate) fn of_before(shelf: Shelf) -> Self {
        Self {
            shelf,
            written: Mutex::default(),
        }
    }

    /// Appends lines. Beyond [`LONGEST_LOG`] bytes further lines are dropped, and one line says so.
    pub(crate) fn append(&self, lines: &[NewLogLine]) -> Result<(), Fault> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut output, mut told) = (String::new(), String::new());
        for line in lines {
            if *written > LONGEST_LOG {
                break;
            }
            *written += line.message.len() + 1;
            if *written > LONGEST_LOG {
                let dropped = "the log is too long, so the rest is dropped";
                told.push_str(&text(LogLevel::Warn, dropped));
            } else if line.level == LogLevel::Output {
                output.push_str(&line.message);
                output.push('\n');
            } else {
                told.push_str(&text(line.level, &line.message));
            }
        }
        self.write(OUTPUT, &output)?;
        self.write(TOLD, &told)
    }

    /// Where they are.
    pub(crate) fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// What is to be uploaded, without files where nothing was said, as Debusine's own worker does.
    pub(crate) fn draft(&self) -> Draft {
        let paths = [OUTPUT, TOLD].map(|name| (name.to_owned(), self.shelf.file(name)));
        let there = |(_, path): &(String, PathBuf)| path.is_file();
        Draft {
            category: CATEGORY.to_owned(),
            data: serde_json::json!({}),
            files: paths.into_iter().filter(there).collect(),
        }
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Fault> {
        if text.is_empty() {
            return Ok(());
        }
        let path = self.shelf.file(name);
        let open = || -> io::Result<File> {
            OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o600)
                .open(&path)
        };
        open()
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| Fault::local(&path, error))
    }
}

fn text(level: LogLevel, message: &str) -> String {
    let level = match level {
        LogLevel::Error => "ERROR ",
        LogLevel::Warn => "WARNING ",
        LogLevel::Info => "",
        LogLevel::Debug => "DEBUG ",
        LogLevel::Trace => "TRACE ",
        LogLevel::Output => "OUTPUT ",
    };
    let now = humantime::format_rfc3339_micros(SystemTime::now());
    format!("{now} {level}{message}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(level: LogLevel, message: &str) -> NewLogLine {
        NewLogLine {
            level,
            message: message.to_owned(),
        }
    }

    #[test]
    fn what_commands_print_is_apart() {
        let top = tempfile::tempdir().unwrap();
        let shelf = Shelf::at(top.path().join("seat")).unwrap();
        let logs = DebugLogs::begin(shelf.clone());
        assert!(logs.draft().files.is_empty());
        let lines = [line(LogLevel::Output, "out"), line(LogLevel::Warn, "hm")];
        logs.append(&lines).unwrap();
        logs.append(&lines[..1]).unwrap();
        let files = logs.draft().files;
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [OUTPUT, TOLD]);
        assert_eq!(fs::read_to_string(&files[0].1).unwrap(), "out\nout\n");
        assert!(
            fs::read_to_string(&files[1].1)
                .unwrap()
                .ends_with(" WARNING hm\n")
        );
        // An earlier process's are kept, an earlier attempt's are not.
        assert_eq!(DebugLogs::of_before(shelf.clone()).draft().files.len(), 2);
        assert!(DebugLogs::begin(shelf).draft().files.is_empty());
    }

    #[test]
    fn a_log_has_an_end() {
        let top = tempfile::tempdir().unwrap();
        let logs = DebugLogs::begin(Shelf::at(top.path().join("seat")).unwrap());
        let long = "x".repeat(1 << 20);
        for _ in 0..20 {
            logs.append(&[line(LogLevel::Output, &long)]).unwrap();
        }
        let files = logs.draft().files;
        assert!(fs::metadata(&files[0].1).unwrap().len() <= LONGEST_LOG as u64);
        let told = fs::read_to_string(&files[1].1).unwrap();
        assert_eq!(told.matches("too long").count(), 1, "{told}");
    }
}
