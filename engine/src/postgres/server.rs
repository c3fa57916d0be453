//! The connections to a server, of which it has few, and many machines may want some.

use crate::EngineError;
use sqlx::{
    Connection, Executor, PgConnection, PgPool, Postgres, Row, Transaction,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::Notify, time::timeout};

/// How many connections one engine has at most, the listener's among them.
const CONNECTIONS: u32 = 8;
/// How long a caller waits for one.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one that is asked for what needs no work may take: longer than a server that is there takes to connect.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one is kept that nobody uses.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// For how long one counts as usable that was in use before: to ask takes a way to the server and back, as long as most calls
/// themselves.
const FRESH: Duration = Duration::from_secs(1);
/// How long none is kept at all after the server was found crowded.
pub(crate) const CROWDED: Duration = Duration::from_secs(30);

/// Whether most connections are in use of those that are not kept for superusers. Of single ones, a login that is no superuser
/// sees only its own.
const IS_CROWDED: &str = "
    select 10 * (select sum(numbackends) from pg_catalog.pg_stat_database)
        > 8 * (pg_catalog.current_setting('max_connections')::bigint
            - pg_catalog.current_setting('superuser_reserved_connections')::bigint
            - coalesce(pg_catalog.current_setting('reserved_connections', true)::bigint, 0))";

/// A server, and the connections to it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) pool: PgPool,
    pub(crate) crowd: Arc<Crowd>,
}

/// That a server has hardly a connection left, or left somebody without an answer. Whoever has a connection lets it go then,
/// as soon as it is not in use: so that others have it, and nobody has one on which no answer comes.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    until: Mutex<Option<Instant>>,
    came: Notify,
}

impl Crowd {
    fn is_there(&self) -> bool {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    pub(crate) fn comes(&self) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = Some(Instant::now() + CROWDED);
        self.came.notify_waiters();
    }

    /// Waits until the server is found crowded.
    pub(crate) async fn noticed(&self) {
        self.came.notified().await;
    }

    /// Looks whether the server is crowded.
    pub(crate) async fn look<'c>(
        &self,
        connection: impl Executor<'c, Database = Postgres>,
    ) -> Result<bool, sqlx::Error> {
        let row = in_time(
            ANSWER_TIMEOUT,
            sqlx::query(IS_CROWDED).fetch_one(connection),
        );
        let is_crowded: bool = row.await?.try_get(0)?;
        if is_crowded {
            self.comes();
        }
        Ok(is_crowded)
    }
}

/// An answer, or that it did not come in time: a network may swallow what is sent without a word.
pub(crate) async fn in_time<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    timeout(limit, answer)
        .await
        .unwrap_or_else(|_| Err(no_answer(limit)))
}

/// That no answer came in time.
pub(crate) fn no_answer(limit: Duration) -> sqlx::Error {
    let message = format!("it did not answer within {} seconds", limit.as_secs());
    io::Error::new(io::ErrorKind::TimedOut, message).into()
}

impl Server {
    /// Connects when somebody asks.
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        let crowd = Arc::new(Crowd::default());
        let of_pool = Arc::clone(&crowd);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(IDLE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, of| {
                let is_fresh = of.idle_for < FRESH;
                Box::pin(async move { Ok(is_fresh || connection.ping().await.is_ok()) })
            })
            .after_release(move |_, _| {
                let is_kept = !of_pool.is_there();
                Box::pin(async move { Ok(is_kept) })
            })
            .connect_lazy_with(options);
        Self { pool, crowd }
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Postgres>, EngineError> {
        match self.pool.begin().await {
            Err(timed_out @ sqlx::Error::PoolTimedOut) => Err(self.why_not(timed_out).await),
            begun => Ok(begun?),
        }
    }

    /// A connection on which each statement is a transaction of its own.
    pub(crate) async fn connection(&self) -> Result<PoolConnection<Postgres>, EngineError> {
        match self.pool.acquire().await {
            Err(timed_out @ sqlx::Error::PoolTimedOut) => Err(self.why_not(timed_out).await),
            acquired => Ok(acquired?),
        }
    }

    /// Why no connection is to be had in time: the pool does not know, so the server is asked.
    async fn why_not(&self, timed_out: sqlx::Error) -> EngineError {
        let options = self.pool.connect_options();
        match in_time(ANSWER_TIMEOUT, PgConnection::connect_with(&options)).await {
            Ok(connection) => {
                let _ = connection.close().await;
                timed_out.into()
            }
            Err(reason) => {
                let error = EngineError::from(reason);
                if error.is_crowded() {
                    self.crowd.comes();
                }
                error
            }
        }
    }
}
