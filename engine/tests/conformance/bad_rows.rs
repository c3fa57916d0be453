use crate::{
    bay::{Bay, LONG, wait_for},
    only_postgres::as_worker,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::io;
use taskbay_core::ArtifactId;
use taskbay_engine::{
    ArtifactFilter, EngineError, Lease, NewArtifact, NewFile, RequestFilter, open,
};

/// Changes rows past the engine, as a program with a fault may; PostgreSQL's own checks are taken away for that.
fn damage(bay: &Bay, sql: &str) {
    if bay.url.starts_with("postgres") {
        bay.execute(
            "do $$ declare v record; begin
                for v in select conrelid::regclass as of, conname from pg_constraint
                    where contype = 'c' and connamespace = 'taskbay'::regnamespace
                loop
                    execute format('alter table %s drop constraint %I', v.of, v.conname);
                end loop;
            end $$",
        );
    }
    bay.execute(sql);
}

/// JSON with so many levels.
fn nested(levels: usize) -> String {
    format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
}

fn artifact(lease: Option<Lease>) -> NewArtifact<'static> {
    let file = NewFile {
        name: "a".to_owned(),
        content: Box::new(&b"content"[..]),
    };
    NewArtifact {
        category: "test".to_owned(),
        data: serde_json::Value::Null,
        files: vec![file],
        made_by: lease,
    }
}

pub(crate) fn a_bad_worker_is_left_out(bay: &Bay) {
    let id = bay.submit(0);
    assert!(bay.engine.sign(id, "s").unwrap().is_some());
    let hash = bay.report("good");
    for (n, set) in [
        "slots = -1, effective = '[]'".to_owned(),
        format!(
            "reported = '{0}', effective = '{0}'",
            format_args!(r#"{{"a": {}}}"#, nested(200))
        ),
        r#"reported = '{"a": 1e400}', effective = '{"a": 1e400}'"#.to_owned(),
    ]
    .iter()
    .enumerate()
    {
        bay.report(&format!("bad {n}"));
        damage(
            bay,
            &format!("update workers set {set} where name = 'bad {n}'"),
        );
    }
    let workers = bay.engine.workers().unwrap();
    let names: Vec<_> = workers.iter().map(|worker| worker.name.as_str()).collect();
    assert_eq!(names, ["good"]);
    let missing = bay.missing();
    let hashes: Vec<_> = missing.iter().map(|each| &each.metadata_hash).collect();
    assert_eq!(hashes, [&hash]);
    assert!(matches!(
        bay.engine.worker("bad 0"),
        Err(EngineError::Corrupt { .. })
    ));
}

pub(crate) fn a_bad_request_is_left_out(bay: &Bay) {
    let ids: Vec<_> = (0..2).map(|_| bay.fitting("w", 0)).collect();
    bay.work_off("w");
    damage(
        bay,
        &format!(
            r#"update requests set errors = '"no list"' where id = {}"#,
            ids[0]
        ),
    );
    let found = bay.engine.requests(&RequestFilter::default()).unwrap();
    let found: Vec<_> = found.iter().map(|request| request.id).collect();
    assert_eq!(found, ids[1..]);
    let pending = bay.fitting("w", 0);
    damage(bay, "update verdicts set reasons = '{'");
    assert_eq!(bay.engine.verdicts_of("fits").unwrap(), []);
    damage(
        bay,
        &format!(
            "update requests set task_name = 'No Name', signature_id = null where id = {pending}"
        ),
    );
    assert_eq!(bay.engine.unsigned(9, &[]).unwrap(), []);
}

/// Whoever exports or fetches it puts its files where their names say.
pub(crate) fn an_artifact_with_an_odd_name_is_given_to_nobody(bay: &Bay) {
    let ids: Vec<ArtifactId> = (0..2)
        .map(|_| bay.engine.create_artifact(artifact(None)).unwrap())
        .collect();
    for name in ["/etc/passwd", "../up", "a/../../b", ".", "a/"] {
        damage(
            bay,
            &format!(
                "update files set name = '{name}' where artifact_id = {}",
                ids[0]
            ),
        );
        assert!(matches!(
            bay.engine.artifact(ids[0]),
            Err(EngineError::Corrupt { .. })
        ));
        assert!(matches!(
            bay.engine.fetch_file(ids[0], name, &mut io::sink()),
            Err(EngineError::Corrupt { .. })
        ));
        let found = bay.engine.artifacts(&ArtifactFilter::default()).unwrap();
        let found: Vec<_> = found.iter().map(|artifact| artifact.id).collect();
        assert_eq!(found, ids[1..]);
    }
}

/// Says something to the database as that login.
fn say(url: &str, sql: &str) -> Result<(), sqlx::Error> {
    wait_for(async {
        let mut connection = PgConnection::connect(url).await?;
        sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&mut connection)
            .await
            .map(drop)
    })
}

#[test]
fn a_workers_role_reports_nothing_bad() {
    let Some((bay, url)) = as_worker() else {
        return;
    };
    let report = |name: &str, slots: i64, metadata: &str| {
        let sql = format!("select taskbay.report({name}, {slots}, '{metadata}', 1)");
        say(&url, &sql)
    };
    let metadata = |value: &str| format!(r#"{{"a": {value}}}"#);
    report("'good'", 1, &metadata(&nested(64))).unwrap();
    // Of two values of one key the last one counts, for every reader.
    let twice = format!(r#"{{"a": {}, "b": 1e308, "a": 1}}"#, nested(200));
    report("'twice'", 4_294_967_295, &twice).unwrap();
    for (name, slots, metadata) in [
        ("'a' || chr(27) || '[2J'", 1, metadata("1")),
        ("'a' || chr(155)", 1, metadata("1")),
        ("''", 1, metadata("1")),
        ("'w'", -1, metadata("1")),
        ("'w'", 1 << 32, metadata("1")),
        ("'w'", 1, metadata(&nested(65))),
        ("'w'", 1, metadata(&nested(200))),
        ("'w'", 1, metadata("1e400")),
        ("'w'", 1, metadata("[-2e308]")),
        ("'w'", 1, "[]".to_owned()),
        // A few letters that become a mountain of digits.
        (
            "'w'",
            1,
            metadata(&format!("[{}1]", "1e308,".repeat(50_000))),
        ),
    ] {
        let shown: String = metadata.chars().take(40).collect();
        assert!(
            report(name, slots, &metadata).is_err(),
            "{name} {slots} {shown}"
        );
    }
    let names: Vec<_> = bay.engine.workers().unwrap();
    let names: Vec<_> = names.iter().map(|worker| worker.name.as_str()).collect();
    assert_eq!(names, ["good", "twice"]);
}

#[test]
fn a_workers_role_leaves_nothing_bad() {
    let Some((bay, url)) = as_worker() else {
        return;
    };
    let id = bay.fitting("w", 0);
    let lease = bay.engine.claim("w", LONG).unwrap().unwrap().lease;
    let Lease {
        request,
        attempt,
        fence,
    } = lease;
    let complete = |errors: &str| {
        let sql =
            format!("select taskbay.complete({request}, {attempt}, {fence}, 'error', '{errors}')");
        say(&url, &sql)
    };
    let error = |rest: &str| format!(r#"[{{"code": "crashed", "message": "m"{rest}}}]"#);
    for errors in [
        r#""no list""#.to_owned(),
        "{}".to_owned(),
        "[1]".to_owned(),
        r#"[{"code": 1, "message": "m"}]"#.to_owned(),
        r#"[{"code": "crashed"}]"#.to_owned(),
        error(&format!(r#", "reasons": {}"#, nested(200))),
        error(r#", "reasons": [1e400]"#),
    ] {
        assert!(complete(&errors).is_err(), "{errors}");
    }
    let create = |category: &str, data: &str, name: &str| {
        let sha256 = "0".repeat(64);
        let sql = format!(
            r#"select taskbay.create_artifact({request}, {attempt}, {fence}, {category}, '{data}',
                '[{{"name": "{name}", "size": 0, "sha256": "{sha256}", "chunks": []}}]')"#
        );
        say(&url, &sql)
    };
    create("'test'", &nested(127), "plain/ü name.txt").unwrap();
    create("'test'", r#""\\ \u0000""#, "..a/...").unwrap();
    for name in [
        "",
        "/etc/passwd",
        "..",
        "../up",
        "a/../b",
        "a/..",
        ".",
        "a/.",
        "a//b",
        "a/",
        "a\\u001bb",
        "a\\u0085",
    ] {
        assert!(create("'test'", "1", name).is_err(), "{name:?}");
    }
    for data in [nested(128), "1e400".to_owned(), "[-2e308]".to_owned()] {
        assert!(create("'test'", &data, "a").is_err(), "{data}");
    }
    assert!(create("'a' || chr(27)", "1", "a").is_err());
    assert_eq!(
        bay.engine
            .artifacts(&ArtifactFilter::default())
            .unwrap()
            .len(),
        2
    );
    complete(&error("")).unwrap();
    let engine = open(&bay.url).unwrap();
    assert_eq!(engine.request(id).unwrap().request.errors.len(), 1);
    assert_eq!(engine.requests(&RequestFilter::default()).unwrap().len(), 1);
}
