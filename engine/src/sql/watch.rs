//! How a caller learns that something changed.

use super::{CHANNEL, Database};
use crate::{
    Seen,
    postgres::{ANSWER_TIMEOUT, CROWDED, Crowd, Server, in_time},
    sqlite,
};
use sqlx::{PgPool, Row, SqlitePool, postgres::PgListener};
use std::{
    future::{pending, poll_fn},
    pin::pin,
    sync::{Arc, OnceLock},
    task::Poll,
    time::Duration,
};
use tokio::{
    runtime::Runtime,
    sync::watch::{Receiver, Sender, channel},
    time::{sleep, timeout},
};

/// How often a file is looked at: the look reads one number from shared memory.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long until a listener that failed tries again.
const TRY_EVERY: Duration = Duration::from_secs(1);
/// How often a listener looks whether its connection is of more use to others.
const GIVE_WAY_EVERY: Duration = Duration::from_secs(10);
/// How often callers look by themselves meanwhile.
const POLL_EVERY: Duration = Duration::from_secs(2);

/// Counts the changes of a database. It begins to watch with the first call.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    changes: OnceLock<Receiver<u64>>,
}

impl Watch {
    pub(crate) fn wait(
        &self,
        runtime: &Runtime,
        database: &Database,
        seen: &mut Seen,
        longest: Duration,
    ) -> bool {
        let changes = self.changes.get_or_init(|| begin(runtime, database));
        let mut changes = changes.clone();
        let found = runtime.block_on(news(&mut changes, *seen, longest));
        seen.0 = found.unwrap_or(seen.0);
        found.is_some()
    }
}

/// The count of changes once it is another than was seen.
async fn news(changes: &mut Receiver<u64>, seen: Seen, longest: Duration) -> Option<u64> {
    let news = async {
        match changes.wait_for(|count| *count != seen.0).await {
            Ok(count) => *count,
            // The watcher ended, which is a fault of it. Whoever waits looks all the same, as seldom as he says.
            Err(_) => pending().await,
        }
    };
    timeout(longest, news).await.ok()
}

fn begin(runtime: &Runtime, database: &Database) -> Receiver<u64> {
    // Ahead of a new `Seen`.
    let (changes, receiver) = channel(1);
    match database {
        Database::Sqlite { readers, .. } => {
            // Connecting needs the runtime at hand, if only later.
            let _guard = runtime.enter();
            runtime.spawn(look(sqlite::watcher(readers), changes));
        }
        Database::Postgres(Server { pool, crowd }) => {
            runtime.spawn(listen(pool.clone(), Arc::clone(crowd), changes));
        }
    }
    receiver
}

fn count(changes: &Sender<u64>) {
    changes.send_modify(|count| *count = count.wrapping_add(1).max(1));
}

/// The version differs after every commit of another connection, of whichever process.
async fn look(pool: SqlitePool, changes: Sender<u64>) {
    let mut before = None;
    loop {
        let row = sqlx::query("pragma data_version").fetch_one(&pool).await;
        match row.and_then(|row| row.try_get::<i64, _>(0)) {
            Ok(version) if before == Some(version) => {}
            Ok(version) => {
                before = Some(version);
                count(&changes);
            }
            Err(error) => {
                log::debug!("the database file cannot be watched: {error}");
                before = None;
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

/// What happens while there is no connection is not heard, so each new one counts as a change.
async fn listen(pool: PgPool, crowd: Arc<Crowd>, changes: Sender<u64>) {
    loop {
        let pause = match hear(&pool, &crowd, &changes).await {
            Ok(()) => {
                log::debug!("the server has hardly a connection left, so it is not listened to");
                CROWDED
            }
            Err(error) => {
                log::debug!("the database cannot be listened to: {error}");
                TRY_EVERY
            }
        };
        polled(sleep(pause), &changes).await;
    }
}

/// Hears of changes, while the server has connections enough.
async fn hear(pool: &PgPool, crowd: &Crowd, changes: &Sender<u64>) -> Result<(), sqlx::Error> {
    let mut listener = polled(PgListener::connect_with(pool), changes).await?;
    in_time(ANSWER_TIMEOUT, listener.listen(CHANNEL)).await?;
    count(changes);
    let mut noticed = pin!(crowd.noticed());
    while !crowd.look(&mut listener).await? {
        let mut due = pin!(sleep(GIVE_WAY_EVERY));
        loop {
            let mut hearing = pin!(listener.try_recv());
            let next = poll_fn(|context| {
                if noticed.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Next::GiveWay);
                }
                if due.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Next::Look);
                }
                hearing.as_mut().poll(context).map(Next::Heard)
            });
            match next.await {
                Next::GiveWay => return Ok(()),
                Next::Look => break,
                // None is a lost connection, to which the listener returns with the next call.
                Next::Heard(heard) => heard.map(drop)?,
            }
            count(changes);
        }
    }
    Ok(())
}

/// What comes next to a listener.
enum Next<T> {
    Heard(T),
    Look,
    GiveWay,
}

/// Waits for something, while callers look by themselves.
async fn polled<T>(something: impl Future<Output = T>, changes: &Sender<u64>) -> T {
    let mut something = pin!(something);
    loop {
        match timeout(POLL_EVERY, &mut something).await {
            Ok(done) => return done,
            Err(_) => count(changes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn without_a_watcher_waits_last_as_long_as_they_may() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let (watcher, mut changes) = channel(7);
        drop(watcher);
        let longest = Duration::from_millis(50);
        let begun = Instant::now();
        let found = runtime
            .expect("a runtime")
            .block_on(news(&mut changes, Seen(7), longest));
        assert_eq!(found, None);
        assert!(begun.elapsed() >= longest);
    }
}
