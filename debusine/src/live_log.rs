//! What an attempt says, for whoever watches it on the server.

use serde_json::json;
use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};
use taskbay_engine::{LogLevel, NewLogLine};

/// The longest text of one message, in bytes; a longer line is a message of its own.
const LONGEST: usize = 48 << 10;
/// The most messages that wait.
const MOST: usize = 500;

/// What an attempt says, for whoever watches it on the server. Nobody relies on it: all of it is in the debug logs, so what
/// cannot be said in time goes.
#[derive(Debug, Default)]
pub(crate) struct LiveLog(Mutex<VecDeque<String>>);

impl LiveLog {
    /// Notes what is to be said of a request.
    pub(crate) fn say(&self, request: i64, lines: &[NewLogLine]) {
        let mut waiting = self.waiting();
        let mut text = String::new();
        let mut lines = lines.iter().peekable();
        while let Some(line) = lines.next() {
            text.push_str(&line.message);
            text.push('\n');
            let stream = stream(line.level);
            let goes_on = lines.peek().is_some_and(|next| {
                self::stream(next.level) == stream && text.len() + next.message.len() < LONGEST
            });
            if !goes_on {
                waiting.push_back(message(request, stream, &mem::take(&mut text)));
            }
        }
        while waiting.len() > MOST {
            waiting.pop_front();
        }
    }

    /// Takes out what is to be said.
    pub(crate) fn take(&self) -> VecDeque<String> {
        mem::take(&mut self.waiting())
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stream(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Output => "stdout",
        _ => "internal",
    }
}

fn message(request: i64, stream: &str, text: &str) -> String {
    let now = humantime::format_rfc3339_micros(SystemTime::now());
    json!({
        "type": "log_data",
        "work_request_id": request,
        "data": text,
        "stream": stream,
        "timestamp": now.to_string(),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn lines_of_one_stream_go_together() {
        let line = |level, message: &str| NewLogLine {
            level,
            message: message.to_owned(),
        };
        let long = "x".repeat(LONGEST);
        let kept = LiveLog::default();
        kept.say(
            7,
            &[
                line(LogLevel::Output, "a"),
                line(LogLevel::Output, "b"),
                line(LogLevel::Info, "c"),
                line(LogLevel::Warn, &long),
            ],
        );
        let said = kept.take();
        let said: Vec<Value> = said
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect();
        let shown: Vec<_> = said
            .iter()
            .map(|said| (&said["stream"], &said["data"]))
            .collect();
        let long = json!(format!("{long}\n"));
        let (out, internal) = (json!("stdout"), json!("internal"));
        assert_eq!(
            shown,
            [
                (&out, &json!("a\nb\n")),
                (&internal, &json!("c\n")),
                (&internal, &long)
            ]
        );
        assert_eq!(said[0]["work_request_id"], 7);
        assert!(kept.take().is_empty());
        for _ in 0..=MOST {
            kept.say(7, &[line(LogLevel::Info, "x")]);
        }
        assert_eq!(kept.take().len(), MOST);
    }
}
