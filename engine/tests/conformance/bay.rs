//! A fresh engine for each case, with a worker and requests at hand.

use crate::server::{self, Server};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use taskbay_core::{Metadata, Outcome, Reason, ReasonCode, TaskName, Verdict};
use taskbay_engine::{
    Claim, Engine, MissingVerdict, NewRequest, NewVerdict, Report, RequestId, Settings, open,
};
use tempfile::TempDir;

/// A lease that no test lets run out.
pub(crate) const LONG: Duration = Duration::from_mins(10);
/// A lease that tests let run out.
pub(crate) const SHORT: Duration = Duration::from_millis(1);

pub(crate) struct Bay {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) url: String,
    _folder: Option<TempDir>,
}

impl Bay {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("sub/queue.db").display());
        Self {
            engine: open(&url).unwrap(),
            url,
            _folder: Some(folder),
        }
    }

    /// None where PostgreSQL is not installed.
    pub(crate) fn postgres() -> Option<Self> {
        let url = Self::empty_postgres(server::get()?);
        Some(Self {
            engine: open(&url).unwrap(),
            url,
            _folder: None,
        })
    }

    /// The URL of a new database without a schema.
    pub(crate) fn empty_postgres(server: &Server) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("case{}", COUNT.fetch_add(1, Ordering::Relaxed));
        execute(
            &server.url("postgres", "postgres"),
            &format!("create database {name}"),
        );
        server.url("postgres", &name)
    }

    /// A URL like this bay's, of a database without a schema.
    pub(crate) fn another_url(&self) -> String {
        match self.url.strip_suffix("queue.db") {
            Some(folder) => format!("{folder}other.db"),
            None => Self::empty_postgres(server::get().unwrap()),
        }
    }

    /// The same database once more.
    pub(crate) fn reopened(&self) -> Arc<dyn Engine> {
        open(&self.url).unwrap()
    }

    /// Submits a `noop` of that priority.
    pub(crate) fn submit(&self, priority: i32) -> RequestId {
        let mut request = NewRequest::new(noop(), "{}");
        request.priority = priority;
        self.engine.submit(&request).unwrap()
    }

    /// Submits a `noop` that `worker` may take.
    pub(crate) fn fitting(&self, worker: &str, priority: i32) -> RequestId {
        let id = self.submit(priority);
        self.fit(id, "fits", worker);
        id
    }

    /// Signs the request so that `worker` suits.
    pub(crate) fn fit(&self, id: RequestId, signature: &str, worker: &str) {
        assert!(self.engine.sign(id, signature).unwrap().is_some());
        let hash = self.report(worker);
        self.verdict(signature, &hash, Verdict::default());
    }

    /// Signs the request so that `worker` does not suit.
    pub(crate) fn unfit(&self, id: RequestId, signature: &str, worker: &str) {
        assert!(self.engine.sign(id, signature).unwrap().is_some());
        let hash = self.report(worker);
        self.verdict(signature, &hash, no());
    }

    pub(crate) fn verdict(&self, signature: &str, hash: &str, verdict: Verdict) {
        let verdict = NewVerdict {
            signature: signature.to_owned(),
            metadata_hash: hash.to_owned(),
            verdict,
        };
        assert_eq!(self.engine.record_verdicts(&[verdict]).unwrap(), 1);
    }

    /// Reports the worker with metadata of its own, and gives their hash.
    pub(crate) fn report(&self, worker: &str) -> String {
        let mut metadata = Metadata::default();
        metadata.insert("test:name", worker);
        self.report_with(worker, metadata)
    }

    pub(crate) fn report_with(&self, worker: &str, metadata: Metadata) -> String {
        let report = Report {
            name: worker.to_owned(),
            slots: 1,
            metadata,
            instance: 1,
        };
        self.engine.report(&report).unwrap().metadata_hash
    }

    /// Says of a worker what an administrator would.
    pub(crate) fn set(&self, worker: &str, settings: &Settings) {
        let change = |now: &mut Settings| *now = settings.clone();
        let now = self.engine.change_worker(worker, &change).unwrap();
        assert_eq!(&now, settings);
    }

    pub(crate) fn claim(&self, worker: &str) -> Option<Claim> {
        self.engine.claim(worker, LONG).unwrap()
    }

    /// Claims and completes all that `worker` gets, and gives the numbers in their order.
    pub(crate) fn work_off(&self, worker: &str) -> Vec<RequestId> {
        let mut done = Vec::new();
        while let Some(claim) = self.claim(worker) {
            self.engine.complete(&claim.lease, &success()).unwrap();
            done.push(claim.lease.request);
        }
        done
    }

    /// Claims with a lease that has run out when this returns.
    pub(crate) fn claim_and_lose(&self, worker: &str) -> Claim {
        let claim = self.engine.claim(worker, SHORT).unwrap().unwrap();
        std::thread::sleep(Duration::from_millis(20));
        claim
    }

    /// Ends what ran out, and lets the back-off pass.
    pub(crate) fn expire(&self) {
        self.engine.expire().unwrap();
        execute(&self.url, "update requests set not_before = 0");
    }

    /// What the database says to a query for one number.
    /// The verdicts that nobody has given.
    pub(crate) fn missing(&self) -> Vec<MissingVerdict> {
        let signatures = self.engine.pending_signatures(0, 999).unwrap();
        self.engine.missing_verdicts(&signatures).unwrap().pairs
    }

    pub(crate) fn number(&self, sql: &str) -> i64 {
        number(&self.url, sql)
    }

    /// The text for the database at hand, where they differ.
    pub(crate) fn pick<'t>(&self, sqlite: &'t str, postgres: &'t str) -> &'t str {
        if is_file(&self.url) { sqlite } else { postgres }
    }

    pub(crate) fn execute(&self, sql: &str) {
        execute(&self.url, sql);
    }
}

pub(crate) fn noop() -> TaskName {
    task("noop")
}

pub(crate) fn task(name: &str) -> TaskName {
    TaskName::fold(name).unwrap()
}

pub(crate) fn success() -> Outcome {
    Outcome::of(Ok(true))
}

pub(crate) fn no() -> Verdict {
    Verdict {
        reasons: vec![Reason::new(ReasonCode::Refused, "the moon is full")],
    }
}

pub(crate) fn wait_for<T>(
    future: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

fn is_file(url: &str) -> bool {
    url.starts_with("sqlite:")
}

/// A statement past the engine.
pub(crate) fn execute(url: &str, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    let done = wait_for(async {
        if is_file(url) {
            let mut connection = SqliteConnection::connect(url).await?;
            sqlx::query(sql).execute(&mut connection).await?;
            return connection.close().await;
        }
        let mut connection = PgConnection::connect(url).await?;
        sqlx::query("set search_path = taskbay")
            .execute(&mut connection)
            .await?;
        sqlx::query(sql).execute(&mut connection).await?;
        connection.close().await
    });
    done.unwrap();
}

/// A query past the engine.
pub(crate) fn number(url: &str, sql: &str) -> i64 {
    let sql = AssertSqlSafe(sql.to_owned());
    let done = wait_for(async {
        if is_file(url) {
            let mut connection = SqliteConnection::connect(url).await?;
            return sqlx::query(sql)
                .fetch_one(&mut connection)
                .await?
                .try_get(0);
        }
        let mut connection = PgConnection::connect(url).await?;
        sqlx::query("set search_path = taskbay")
            .execute(&mut connection)
            .await?;
        sqlx::query(sql)
            .fetch_one(&mut connection)
            .await?
            .try_get(0)
    });
    done.unwrap()
}
