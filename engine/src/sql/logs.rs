//! How logs are read.

use super::{Database, Row};
use crate::{EngineError, LogLine, LogPosition, NewLogLine, RequestId, Timestamp, limits};

const AFTER: &str = "
    select n, line, time, level, message from log_lines
    where request_id = $1 and (n, line) > ($2, $3) order by n, line limit $4";

pub(crate) async fn log(
    database: &Database,
    id: RequestId,
    after: LogPosition,
    limit: u32,
) -> Result<Vec<LogLine>, EngineError> {
    let mut transaction = database.read().await?;
    let values = [
        id.into(),
        after.attempt.into(),
        after.line.into(),
        i64::from(limit).into(),
    ];
    let rows = transaction.rows(AFTER, &values).await?;
    if rows.is_empty() {
        let known = transaction
            .row("select id from requests where id = $1", &[id.into()])
            .await?;
        known.ok_or_else(|| EngineError::not_found("request", id))?;
    }
    rows.iter().map(line_of).collect()
}

fn line_of(row: &Row) -> Result<LogLine, EngineError> {
    Ok(LogLine {
        position: LogPosition {
            attempt: row.int("n")?,
            line: row.int("line")?,
        },
        time: Timestamp(row.int("time")?),
        level: row.word("level")?,
        message: row.text("message")?,
    })
}

/// Lines as both databases take them. PostgreSQL keeps no NUL, and a command may print one.
pub(crate) fn checked(lines: &[NewLogLine]) -> Result<Vec<NewLogLine>, EngineError> {
    if lines.len() > limits::MOST_LOG_LINES {
        return Err(EngineError::TooLarge {
            what: "list of log lines",
            size: lines.len(),
            limit: limits::MOST_LOG_LINES,
            unit: "lines",
        });
    }
    let checked = |line: &NewLogLine| {
        let message = without_nul(&line.message);
        limits::check("log line", &message, limits::LONGEST_LOG_MESSAGE)?;
        Ok(NewLogLine {
            level: line.level,
            message,
        })
    };
    lines.iter().map(checked).collect()
}

/// The text with NUL characters made visible.
pub(crate) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{2400}")
}
