use crate::bay::{Bay, execute, noop, number, wait_for};
use sqlx::{Connection, SqliteConnection};
use std::{
    env,
    io::{BufRead, BufReader, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
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

/// Whoever can change the file decides what workers execute.
#[test]
fn a_file_that_others_may_change_is_not_used() {
    let bay = Bay::sqlite();
    let file = PathBuf::from(bay.url.strip_prefix("sqlite://").unwrap());
    let folder = file.parent().unwrap().to_owned();
    let set = |path: &PathBuf, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let refused = |part: &str| {
        let error = open(&bay.url).unwrap_err();
        assert!(matches!(error, EngineError::Untrusted { .. }), "{error:?}");
        assert!(error.to_string().contains(part), "{error}");
        assert!(error.help().is_some());
    };
    for (path, good, bad, part) in [
        (&file, 0o600, 0o666, "queue.db is writable by everybody"),
        (&file, 0o600, 0o602, "queue.db is writable by everybody"),
        (&folder, 0o700, 0o777, "sub is writable by everybody"),
        // Others could put there what SQLite reads along.
        (&folder, 0o700, 0o1777, "sub is writable by everybody"),
        (
            &folder.parent().unwrap().to_owned(),
            0o700,
            0o777,
            "is writable by everybody",
        ),
    ] {
        set(path, bad);
        refused(part);
        set(path, good);
        open(&bay.url).unwrap();
    }
    let above = folder.parent().unwrap().to_owned();
    set(&above, 0o1777);
    open(&bay.url).unwrap();
    set(&above, 0o700);
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let owned = |path: &PathBuf, user| chown(path, Some(user), Some(user)).unwrap();
    owned(&file, 65534);
    refused("belongs to user 65534");
    owned(&file, 0);
    std::fs::write(file.with_file_name("queue.db-journal"), "theirs").unwrap();
    owned(&file.with_file_name("queue.db-journal"), 65534);
    refused("queue.db-journal belongs to user 65534");
}

/// Root may look after what is somebody else's, and leaves nothing there that its owner cannot use.
#[test]
fn what_root_makes_in_anothers_folder_is_theirs() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    chown(top.path(), Some(65534), Some(65534)).unwrap();
    let file = top.path().join("queue.db");
    let url = format!("sqlite://{}", file.display());
    for _ in 0..2 {
        let engine = open(&url).unwrap();
        engine.submit(&NewRequest::new(noop(), "{}")).unwrap();
        for name in ["queue.db", "queue.db-wal", "queue.db-shm"] {
            let status = top.path().join(name).metadata().unwrap();
            assert_eq!((status.uid(), status.gid()), (65534, 65534), "{name}");
        }
    }
    chown(&file, Some(1), Some(1)).unwrap();
    assert!(matches!(open(&url), Err(EngineError::Untrusted { .. })));
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
