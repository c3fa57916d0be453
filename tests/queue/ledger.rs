//! What the database itself saw: triggers of the test's own note every completion.

use crate::bay::{Bay, LIMIT};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use std::{
    thread,
    time::{Duration, Instant},
};
use taskbay_core::TaskName;
use taskbay_engine::{Engine, NewRequest, RequestId};
use tokio::runtime::{Builder, Runtime};

const IN_SQLITE: &str = "
    create table ledger (request_id integer not null, what text not null);
    create trigger completed after update on requests when new.status = 'completed' and old.status <> 'completed'
        begin insert into ledger values (new.id, 'completed'); end;
    create trigger overwritten after update on requests
        when old.status = 'completed' and new.status = 'completed'
            and (new.result is not old.result or new.errors <> old.errors or new.completed_at <> old.completed_at)
        begin insert into ledger values (new.id, 'overwritten'); end;
    create trigger retried after update on requests when new.status = 'pending' and old.status = 'completed'
        begin insert into ledger values (new.id, 'retried'); end;
    create trigger told after update on attempts when old.outcome is not null
        and (new.outcome is not old.outcome or new.ended_at <> old.ended_at)
        begin insert into ledger values (new.request_id, 'told twice'); end;";

/// Each table is locked by a transaction of its own: services may write already, and lock them in an order of theirs.
const IN_POSTGRES: &str = "
    begin;
    set search_path = taskbay;
    create table ledger (request_id bigint not null, what text not null);
    create function note_request() returns trigger language plpgsql as $$ begin
        if old.status <> 'completed' then
            insert into taskbay.ledger values (new.id, 'completed');
        elsif new.status = 'pending' then
            insert into taskbay.ledger values (new.id, 'retried');
        else
            insert into taskbay.ledger values (new.id, 'overwritten');
        end if;
        return null;
    end $$;
    create trigger ledger after update on requests for each row
        when (new.status = 'completed' or old.status = 'completed' and new.status = 'pending')
        execute function note_request();
    commit;
    begin;
    create function note_attempt() returns trigger language plpgsql as $$ begin
        insert into taskbay.ledger values (new.request_id, 'told twice');
        return null;
    end $$;
    create trigger ledger after update on attempts for each row
        when (old.outcome is not null and (new.outcome is distinct from old.outcome or new.ended_at <> old.ended_at))
        execute function note_attempt();
    commit;";

/// The requests of a bay, and what became of them.
pub(crate) struct Ledger {
    url: String,
}

impl Ledger {
    /// Begins to note what happens.
    pub(crate) fn of(bay: &Bay) -> Self {
        drop(bay.engine());
        let ledger = Self::at(bay);
        ledger.execute(if ledger.is_file() {
            IN_SQLITE
        } else {
            IN_POSTGRES
        });
        ledger
    }

    /// One that was begun before.
    pub(crate) fn at(bay: &Bay) -> Self {
        let url = bay.url.clone();
        Self { url }
    }

    /// Asserts that each request has exactly one result, and no attempt but the one that gave it has any.
    #[track_caller]
    pub(crate) fn is_balanced(&self, requests: i64) {
        assert_eq!(self.count("select count(*) from requests"), requests);
        let done = self.count(
            "select count(*) from requests where status = 'completed' and result is not null",
        );
        assert_eq!(done, requests, "requests with a result");
        for what in ["overwritten", "told twice"] {
            let sql = format!("select count(*) from ledger where what = '{what}'");
            assert_eq!(self.count(&sql), 0, "{what}");
        }
        // A request that is tried again is completed again.
        let unbalanced = self.count(
            "select count(*) from requests r where 1 <>
                (select count(*) from ledger l where l.request_id = r.id and l.what = 'completed')
                - (select count(*) from ledger l where l.request_id = r.id and l.what = 'retried')",
        );
        assert_eq!(unbalanced, 0, "requests completed never, or more than once");
        let told = self.count(
            "select count(*) from requests r where
                (select count(*) from attempts a where a.request_id = r.id
                    and a.outcome in ('success', 'failure', 'error', 'aborted'))
                > (select count(*) from ledger l where l.request_id = r.id and l.what = 'completed')",
        );
        assert_eq!(
            told, 0,
            "requests with more results of attempts than completions"
        );
        let open = self.count("select count(*) from attempts where ended_at is null");
        assert_eq!(open, 0, "attempts that go on");
    }

    /// Asserts the same where nobody aborted anything or tried it again: one attempt of each request succeeded.
    #[track_caller]
    pub(crate) fn all_succeeded(&self, requests: i64) {
        self.is_balanced(requests);
        let once = self.count(
            "select count(*) from requests r where r.result = 'success' and 1 =
                (select count(*) from attempts a where a.request_id = r.id
                    and a.outcome not in ('lost', 'released'))",
        );
        assert_eq!(once, requests, "requests with one successful attempt");
    }

    pub(crate) fn completed(&self) -> i64 {
        self.count("select count(*) from requests where status = 'completed'")
    }

    /// Waits until so many are completed.
    #[track_caller]
    pub(crate) fn wait_for(&self, bay: &Bay, completed: i64) {
        let mut until = Instant::now() + LIMIT;
        let mut before = 0;
        loop {
            // Whether the database answers is not the point here.
            let sql = "select count(*) from requests where status = 'completed'";
            let now = self.try_count(sql).unwrap_or(before);
            if now >= completed {
                return;
            }
            if now > before {
                (before, until) = (now, Instant::now() + LIMIT);
            }
            assert!(
                Instant::now() < until,
                "{now} of {completed}\n{}",
                bay.logs()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn is_file(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// The answer to a query for one number. A server may have no connection left for it.
    #[track_caller]
    pub(crate) fn count(&self, sql: &str) -> i64 {
        let until = Instant::now() + LIMIT;
        loop {
            match self.try_count(sql) {
                Ok(count) => return count,
                Err(error) => assert!(Instant::now() < until, "{error}"),
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn try_count(&self, sql: &str) -> Result<i64, sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        in_runtime(async {
            if self.is_file() {
                let mut connection = SqliteConnection::connect(&self.url).await?;
                return sqlx::query(sql)
                    .fetch_one(&mut connection)
                    .await?
                    .try_get(0);
            }
            let mut connection = PgConnection::connect(&self.url).await?;
            sqlx::raw_sql("set search_path = taskbay")
                .execute(&mut connection)
                .await?;
            sqlx::query(sql)
                .fetch_one(&mut connection)
                .await?
                .try_get(0)
        })
    }

    #[track_caller]
    pub(crate) fn execute(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        let done = in_runtime(async {
            if self.is_file() {
                let mut connection = SqliteConnection::connect(&self.url).await?;
                return sqlx::raw_sql(sql).execute(&mut connection).await.map(drop);
            }
            let mut connection = PgConnection::connect(&self.url).await?;
            sqlx::raw_sql(sql).execute(&mut connection).await.map(drop)
        });
        done.unwrap();
    }
}

fn in_runtime<T>(future: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    runtime().block_on(future)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// All connections that a server has.
pub(crate) struct Crowd {
    _connections: Vec<PgConnection>,
    _runtime: Runtime,
}

impl Crowd {
    pub(crate) fn at(url: &str) -> Self {
        let runtime = runtime();
        let connections = runtime.block_on(async {
            let mut connections = Vec::new();
            while let Ok(connection) = PgConnection::connect(url).await {
                connections.push(connection);
            }
            connections
        });
        Self {
            _connections: connections,
            _runtime: runtime,
        }
    }
}

/// A transaction that lets nobody write requests, as long as it lives.
pub(crate) struct Lock {
    _connection: PgConnection,
    _runtime: Runtime,
}

impl Lock {
    pub(crate) fn of_requests(url: &str) -> Self {
        let runtime = runtime();
        let connection = runtime.block_on(async {
            let mut connection = PgConnection::connect(url).await?;
            sqlx::raw_sql("begin; lock table taskbay.requests in exclusive mode")
                .execute(&mut connection)
                .await?;
            Ok::<_, sqlx::Error>(connection)
        });
        Self {
            _connection: connection.unwrap(),
            _runtime: runtime,
        }
    }
}

/// Submits so many requests that do nothing.
pub(crate) fn submit(engine: &dyn Engine, count: i64) -> Vec<RequestId> {
    let task = TaskName::fold("noop").unwrap();
    let one = |_| engine.submit(&NewRequest::new(task.clone(), "{}")).unwrap();
    (0..count).map(one).collect()
}
