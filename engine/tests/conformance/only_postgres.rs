use crate::{
    bay::{Bay, LONG, execute, number, success, wait_for},
    server::{Server, folder},
};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use std::{
    thread,
    time::{Duration, Instant},
};
use taskbay_core::Metadata;
use taskbay_engine::{
    EngineError, LogLevel, NewArtifact, NewFile, NewLogLine, NewRequest, Report, RequestFilter,
    Seen, Settings, open,
};

/// The bay, and its URL for a login that is a member of `taskbay_worker` only.
pub(crate) fn as_worker() -> Option<(Bay, String)> {
    let bay = Bay::postgres()?;
    // Another test may have made the login.
    bay.execute(
        "do $$ begin create role farm login in role taskbay_worker; exception when duplicate_object or unique_violation \
         then null; end $$",
    );
    let url = bay.url.replace("postgres@", "farm@");
    Some((bay, url))
}

/// A worker's whole life, with rights on functions alone.
#[test]
fn a_workers_role_can_work() {
    let Some((bay, url)) = as_worker() else {
        return;
    };
    let id = bay.fitting("w", 0);
    let engine = open(&url).unwrap();
    let report = Report {
        name: "w".to_owned(),
        slots: 1,
        metadata: bay.engine.worker("w").unwrap().reported,
        instance: 1,
    };
    engine.report(&report).unwrap();
    let lease = engine.claim("w", LONG).unwrap().unwrap().lease;
    engine.renew(&lease, LONG).unwrap();
    let line = NewLogLine {
        level: LogLevel::Info,
        message: "hello".to_owned(),
    };
    engine.append_log(&lease, &[line]).unwrap();
    let file = NewFile {
        name: "a".to_owned(),
        content: Box::new(&b"content"[..]),
    };
    let artifact = NewArtifact {
        category: "test".to_owned(),
        data: Value::Null,
        files: vec![file],
        made_by: Some(lease),
    };
    let artifact = engine.create_artifact(artifact).unwrap();
    let mut bytes = Vec::new();
    engine.fetch_file(artifact, "a", &mut bytes).unwrap();
    assert_eq!(bytes, b"content");
    assert!(
        engine
            .wait(&mut Seen::default(), Duration::from_secs(30))
            .unwrap()
    );
    engine.complete(&lease, &success()).unwrap();
    assert_eq!(bay.engine.request(id).unwrap().request.attempts, 1);
}

#[test]
fn a_workers_role_can_do_nothing_else() {
    let Some((bay, url)) = as_worker() else {
        return;
    };
    let id = bay.fitting("w", 0);
    let engine = open(&url).unwrap();
    let import = NewArtifact {
        category: "test".to_owned(),
        data: Value::Null,
        files: Vec::new(),
        made_by: None,
    };
    let denied: Vec<Result<(), EngineError>> = vec![
        engine.requests(&RequestFilter::default()).map(drop),
        engine
            .submit(&NewRequest::new(crate::bay::noop(), "{}"))
            .map(drop),
        engine
            .change_worker("w", &|settings| *settings = Settings::default())
            .map(drop),
        engine.abort(id).map(drop),
        engine.sign(id, "other").map(drop),
        engine.expire().map(drop),
        engine.create_artifact(import).map(drop),
        engine.workers().map(drop),
    ];
    for (n, each) in denied.into_iter().enumerate() {
        let error = each.unwrap_err();
        assert!(
            matches!(error, EngineError::Denied { .. }),
            "{n}: {error:?}"
        );
        assert!(error.help().unwrap().contains("taskbay_worker"));
    }
    for sql in [
        "select * from requests",
        "select * from taskbay.requests",
        "select * from taskbay.chunks",
        "update taskbay.workers set draining = false",
        "select taskbay.store_artifact(null, null, 'a', '{}', '[]')",
        "select taskbay.settle('w')",
        "create table taskbay.requests2 ()",
    ] {
        let done = wait_for(async {
            let mut connection = PgConnection::connect(&url).await?;
            sqlx::query(AssertSqlSafe(sql))
                .execute(&mut connection)
                .await
        });
        let error = done.unwrap_err();
        let code = error
            .as_database_error()
            .unwrap()
            .code()
            .unwrap()
            .into_owned();
        // No search path leads to the unqualified name either.
        assert!(
            ["42501", "42P01"].contains(&code.as_str()),
            "{sql}: {error}"
        );
    }
}

/// Whoever may not create the schema is told, and where the role cannot be created the owner works on.
#[test]
fn rights_that_are_missing_are_named() {
    let Some((bay, _)) = as_worker() else { return };
    let url = bay.another_url();
    let error = open(&url.replace("postgres@", "farm@")).unwrap_err();
    assert!(matches!(error, EngineError::Denied { .. }), "{error:?}");
    bay.execute("do $$ begin create role plain login; exception when duplicate_object or unique_violation then null; end $$");
    execute(
        &url,
        "do $$ begin execute format('grant create on database %I to plain', current_database()); end $$",
    );
    let engine = open(&url.replace("postgres@", "plain@")).unwrap();
    let report = Report {
        name: "w".to_owned(),
        slots: 1,
        metadata: Metadata::default(),
        instance: 1,
    };
    engine.report(&report).unwrap();
}

/// What a claim reads does not grow with what it does not take, nor does it if the statement was planned, and the statistics
/// made, when the queue was empty.
#[test]
fn a_claim_does_not_read_the_backlog() {
    let Some(bay) = Bay::postgres() else { return };
    bay.unfit(bay.submit(9), "unfit", "w");
    let id = bay.fitting("w", 0);
    bay.execute("update requests set status = 'held'");
    bay.execute(
        "insert into requests (task_name, task_data, priority, created_at, max_attempts, signature_id)
         select 'noop', '{}', 0, 0, 3, r.signature_id from requests r, generate_series(1, 10) where r.priority = 0",
    );
    bay.execute("analyze requests");
    let backlog = "
        insert into requests (task_name, task_data, priority, created_at, max_attempts, signature_id)
        select 'noop', '{}', r.priority, 0, 3, r.signature_id from requests r, generate_series(1, 20000)";
    let read = wait_for(async {
        let mut connection = PgConnection::connect(&bay.url).await?;
        let claim = "select request_id from taskbay.claim('w', 1000)";
        connection.execute("set search_path = taskbay").await?;
        // So often that all plans are kept.
        for _ in 0..10 {
            sqlx::query(claim).fetch_one(&mut connection).await?;
        }
        let nothing = sqlx::query(claim).fetch_optional(&mut connection).await?;
        assert!(nothing.is_none());
        connection
            .execute("update requests set status = 'pending'")
            .await?;
        connection.execute(backlog).await?;
        let mut transaction = connection.begin().await?;
        let claimed = sqlx::query(claim).fetch_one(&mut *transaction).await?;
        assert_eq!(claimed.try_get::<i64, _>(0)?, id);
        let sql = "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'requests'";
        sqlx::query(sql)
            .fetch_one(&mut *transaction)
            .await?
            .try_get::<i64, _>(0)
    });
    let read = read.unwrap();
    assert!(read < 200, "{read} rows of 40,002");
}

/// A worker's login does not see what others' connections do, and yet lets others have its own where there are few left.
#[test]
fn a_workers_role_gives_way() {
    let Some(server) = Server::in_folder(folder(), "-c max_connections=40") else {
        return;
    };
    assert!(server.is_ready(1), "PostgreSQL does not start");
    let owner = server.url("postgres", "postgres");
    drop(open(&owner).unwrap());
    execute(&owner, "create role farm login in role taskbay_worker");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let crowd = runtime.block_on(async {
        let mut crowd = Vec::new();
        for _ in 0..32 {
            crowd.push(PgConnection::connect(&owner).await.unwrap());
        }
        crowd
    });
    let engine = open(&server.url("farm", "postgres")).unwrap();
    let moment = Duration::from_millis(100);
    let listens = || {
        engine.wait(&mut Seen::default(), moment).unwrap();
        number(
            &owner,
            "select count(*) from pg_stat_activity where usename = 'farm'",
        )
    };
    let begun = Instant::now();
    while listens() > 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(25),
            "it keeps its connections"
        );
        thread::sleep(moment);
    }
    drop(crowd);
}
