use crate::bay::{Bay, execute, noop, number, wait_for};
use sqlx::{Connection, SqliteConnection};
use std::{
    env,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
};
use taskbay_engine::{EngineError, NewRequest, open};

/// Says to the test program that it is the child to be killed, on that engine.
const CHILD: &str = "TASKBAY_ENGINE_TEST_CHILD";

#[test]
fn the_file_is_its_owners_alone() {
    let bay = Bay::sqlite();
    bay.submit(0);
    let path = PathBuf::from(bay.url.strip_prefix("sqlite://").unwrap());
    let mode = |path: &PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&path.with_file_name("queue.db-wal")), 0o600);
    assert_eq!(mode(&path.parent().unwrap().to_owned()), 0o700);
    assert_eq!(
        bay.number("select count(*) from pragma_journal_mode where journal_mode = 'wal'"),
        1
    );
}

#[test]
fn another_programs_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    std::fs::write(&path, "").unwrap();
    let url = format!("sqlite://{}", path.display());
    execute(&url, "create table theirs (a integer)");
    assert!(matches!(open(&url), Err(EngineError::BadUrl { .. })));
    std::fs::write(
        &path,
        "this is no database, but long enough to look at".repeat(99),
    )
    .unwrap();
    assert!(open(&url).is_err());
    assert!(matches!(
        open("sqlite:///proc/none/x.db"),
        Err(EngineError::Unavailable { .. })
    ));
}

/// What was acknowledged is there after a kill; what was not committed is not.
#[test]
fn killing_a_process_loses_nothing() {
    if let Ok(url) = env::var(CHILD) {
        be_killed(&url);
    }
    let bay = Bay::sqlite();
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "only_sqlite::killing_a_process_loses_nothing",
            "--exact",
            "--nocapture",
        ])
        .env(CHILD, &bay.url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = 0;
    for line in output.lines() {
        let line = line.unwrap();
        acknowledged += i64::from(line.contains("submitted"));
        if line.contains("in the middle") {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(acknowledged, 20);
    assert_eq!(number(&bay.url, "select count(*) from requests"), 20);
    assert_eq!(number(&bay.url, "select count(*) from workers"), 0);
    assert_eq!(
        number(
            &bay.url,
            "select count(*) from pragma_integrity_check where integrity_check <> 'ok'"
        ),
        0
    );
    // The dead process holds no lock.
    bay.submit(0);
}

/// Submits, then is in the middle of a transaction when it is killed.
fn be_killed(url: &str) -> ! {
    let engine = open(url).unwrap();
    let mut out = std::io::stdout();
    for _ in 0..20 {
        engine.submit(&NewRequest::new(noop(), "{}")).unwrap();
        writeln!(out, "submitted").unwrap();
    }
    let waiting = wait_for(async {
        let mut connection = SqliteConnection::connect(url).await?;
        let mut transaction = connection.begin_with("begin immediate").await?;
        for sql in [
            "delete from requests",
            "insert into workers (name) values ('half')",
        ] {
            sqlx::query(sql).execute(&mut *transaction).await?;
        }
        writeln!(out, "in the middle").unwrap();
        loop {
            tokio::time::sleep(std::time::Duration::from_mins(1)).await;
        }
    });
    let () = waiting.unwrap();
    unreachable!("the parent kills this process");
}
