//! How an attempt's log grows.

use super::lease::hold;
use crate::{
    EngineError, Lease, LogLevel, NewLogLine,
    limits::LONGEST_LOG,
    sql::{Database, Transaction, word},
};

/// The last line of a log that grew too long.
const FULL: &str = "the rest of this log is dropped: an attempt may log 16 MiB";

struct Place {
    line: i64,
    bytes: i64,
    full: bool,
}

pub(crate) async fn append_log(
    database: &Database,
    lease: &Lease,
    lines: &[NewLogLine],
) -> Result<(), EngineError> {
    let mut transaction = database.begin().await?;
    let now = transaction.now().await?;
    let row = hold(&mut transaction, lease, now).await?;
    let mut place = Place {
        line: row.int("log_lines")?,
        bytes: row.int("log_bytes")?,
        full: row.get("log_full")?,
    };
    if place.full {
        return Ok(());
    }
    for line in lines {
        let bytes = place.bytes + i64::try_from(line.message.len()).unwrap_or(i64::MAX / 2);
        if usize::try_from(bytes).is_ok_and(|bytes| bytes > LONGEST_LOG) {
            place.full = true;
            place.line += 1;
            insert(
                &mut transaction,
                lease,
                now,
                place.line,
                LogLevel::Warn,
                FULL,
            )
            .await?;
            break;
        }
        place.bytes = bytes;
        place.line += 1;
        insert(
            &mut transaction,
            lease,
            now,
            place.line,
            line.level,
            &line.message,
        )
        .await?;
    }
    let sql = "update attempts set log_lines = $3, log_bytes = $4, log_full = $5 where request_id = $1 and n = $2";
    let values = [
        lease.request.into(),
        lease.attempt.into(),
        place.line.into(),
        place.bytes.into(),
        place.full.into(),
    ];
    transaction.execute(sql, &values).await?;
    transaction.commit().await
}

async fn insert(
    transaction: &mut Transaction,
    lease: &Lease,
    now: i64,
    line: i64,
    level: LogLevel,
    message: &str,
) -> Result<(), EngineError> {
    let sql = "insert into log_lines (request_id, n, line, time, level, message) values ($1, $2, $3, $4, $5, $6)";
    let level = word(&level);
    let values = [
        lease.request.into(),
        lease.attempt.into(),
        line.into(),
        now.into(),
        (&level).into(),
        message.into(),
    ];
    transaction.execute(sql, &values).await.map(drop)
}
