use crate::bay::Bay;
use sqlx::{Connection, PgConnection};
use std::{
    net::TcpListener,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use taskbay_engine::{EngineError, NewArtifact, NewFile, RequestFilter, open};

/// Ten times what the engine waits.
const LIMIT: Duration = Duration::from_mins(5);

/// The answer, which comes in the end.
fn in_the_end<T: Send + 'static>(ask: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(ask()));
    receiver.recv_timeout(LIMIT).expect("an answer")
}

/// Whoever takes a connection and says nothing is waited for no longer than whoever is not there.
#[test]
fn a_silent_server_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://w@{}/queue", listener.local_addr().unwrap());
    let error = in_the_end(move || open(&url)).unwrap_err();
    assert!(
        matches!(error, EngineError::Unavailable { .. }),
        "{error:?}"
    );
    assert!(error.is_temporary(), "{error:?}");
}

/// So is a server that falls silent, and once it answers again, all is as before.
#[test]
fn an_answer_that_does_not_come_is_given_up() {
    let Some(bay) = Bay::postgres() else { return };
    let id = bay.submit(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let lock = runtime.block_on(async {
        let mut connection = PgConnection::connect(&bay.url).await.unwrap();
        for sql in ["begin", "lock table taskbay.requests, taskbay.chunks"] {
            sqlx::query(sql).execute(&mut connection).await.unwrap();
        }
        connection
    });
    let engine = bay.engine.clone();
    let stored = thread::spawn(move || in_the_end(move || engine.create_artifact(artifact())));
    let engine = bay.engine.clone();
    let listed = in_the_end(move || engine.requests(&RequestFilter::default()));
    for error in [
        listed.map(drop).unwrap_err(),
        stored.join().unwrap().map(drop).unwrap_err(),
    ] {
        assert!(
            matches!(error, EngineError::Unavailable { .. }),
            "{error:?}"
        );
        assert!(error.is_temporary(), "{error:?}");
    }
    nothing_waits(&bay);
    runtime.block_on(lock.close()).unwrap();
    let found = bay.engine.requests(&RequestFilter::default()).unwrap();
    assert_eq!(found[0].id, id);
    bay.engine.create_artifact(artifact()).unwrap();
}

/// The server ends what was given up, though it waits for a lock that somebody still has.
fn nothing_waits(bay: &Bay) {
    let sql = "select count(*) from pg_stat_activity
        where application_name = 'taskbay' and datname = current_database() and wait_event_type = 'Lock'";
    let begun = Instant::now();
    while bay.number(sql) > 0 {
        assert!(begun.elapsed() < LIMIT, "statements that nobody waits for");
        thread::sleep(Duration::from_secs(1));
    }
}

fn artifact() -> NewArtifact<'static> {
    NewArtifact {
        category: "file".to_owned(),
        data: serde_json::json!({}),
        files: vec![NewFile {
            name: "some".to_owned(),
            content: Box::new(&b"content"[..]),
        }],
        made_by: None,
    }
}
