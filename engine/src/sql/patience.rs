//! How long an answer is waited for: a network may swallow what is sent without a word.

use super::Database;
use crate::{EngineError, postgres};
use std::{pin::pin, time::Duration};
use tokio::time::timeout;

/// How long a server may take for an answer, all its tries together.
pub(super) const SHORT: Duration = Duration::from_secs(30);
/// How long it may take for one that touches each row of very many.
pub(super) const LONG: Duration = Duration::from_mins(10);

/// An answer, or that a server did not give it in time. A file is on this machine, and its waits have limits of their own.
pub(super) async fn in_time<T>(
    database: &Database,
    limit: Duration,
    answer: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    let Database::Postgres(server) = database else {
        return answer.await;
    };
    let mut answer = pin!(answer);
    if let Ok(answer) = timeout(limit, &mut answer).await {
        return answer;
    }
    // Before the answer is dropped, which gives its connection back: it is closed then.
    server.crowd.comes();
    Err(postgres::no_answer(limit).into())
}
