use super::*;
use crate::{
    debug_logs::DebugLogs,
    record::{Record, Shelf},
    stand_in::{Says, StandIn},
    token::Token,
};
use std::sync::Mutex;
use taskbay_core::TaskName;
use tempfile::TempDir;

const LEASE: Lease = Lease {
    request: 7,
    attempt: 1,
    fence: 1,
};

/// A worker in the midst of a request, whose server answers so when it is told the result.
fn executing(
    answer: impl Fn(&Shelf) -> Says + Send + 'static,
) -> (
    TempDir,
    DebusineEngine,
    Arc<Mutex<Vec<crate::stand_in::Asked>>>,
) {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::at(folder.path().join("seat")).unwrap();
    let seen = shelf.clone();
    let server = StandIn::new(move |asked| match asked.line.as_str() {
        "PUT /api/1.0/work-request/7/completed/" => answer(&seen),
        // Whether the token is enabled, which is so where the result is not denied, and the server not away.
        "GET /api/1.0/worker/dynamic-metadata/" => match answer(&seen).status {
            status @ (403 | 503) => Says::status(status),
            _ => Says::status(405),
        },
        // Its logs.
        _ => Says::status(404),
    });
    let seat = Seat::new(1, Token::parse("secret").unwrap(), shelf.clone());
    let record = Record::of_noop(7);
    let attempt = Attempt::begin(
        LEASE,
        TaskName::fold("noop").unwrap(),
        StandIn::login(),
        DebugLogs::begin(shelf),
        record,
    );
    seat.state().work = Work::Executing(Arc::new(attempt));
    let client = Arc::new(server.client);
    let engine = DebusineEngine {
        shared: Arc::new(Shared::new(client, Dialect::Plain, vec![seat])),
        place: "a server that stands in".into(),
        threads: Vec::new(),
        _locks: Vec::new(),
    };
    (folder, engine, server.asked)
}

fn problem(status: u16, title: &str) -> Says {
    Says::status(status).body(serde_json::json!({"title": title}).to_string())
}

#[test]
fn a_result_is_on_disk_before_it_is_told() {
    let was_kept = Arc::new(Mutex::new(false));
    let sees = Arc::clone(&was_kept);
    let (_folder, engine, _) = executing(move |shelf| {
        let kept = shelf
            .read()
            .is_some_and(|record| record.completion.is_some());
        *sees.lock().unwrap() = kept;
        Says::status(200)
    });
    engine.complete(&LEASE, &Outcome::of(Ok(true))).unwrap();
    assert!(*was_kept.lock().unwrap());
    let seat = &engine.shared.seats[0];
    assert!(!seat.has_result());
    assert_eq!(seat.shelf.read(), None);
}

#[test]
fn a_token_that_is_disabled_costs_no_result() {
    let is_enabled = Arc::new(Mutex::new(false));
    let sees = Arc::clone(&is_enabled);
    let (_folder, engine, asked) = executing(move |_| {
        if *sees.lock().unwrap() {
            return Says::status(200);
        }
        problem(403, "You do not have permission to perform this action.")
    });
    engine.complete(&LEASE, &Outcome::of(Ok(true))).unwrap();
    let (shared, seat) = (&engine.shared, &engine.shared.seats[0]);
    assert!(seat.has_result());
    assert!(shared.tell_kept(seat).unwrap_err().is_denied());
    assert!(seat.has_result());
    assert!(seat.shelf.read().is_some());
    *is_enabled.lock().unwrap() = true;
    shared.tell_kept(seat).unwrap();
    assert!(!seat.has_result());
    let told = asked.lock().unwrap();
    let told = told
        .iter()
        .filter(|asked| asked.line.ends_with("/completed/"));
    assert_eq!(told.count(), 3);
}

#[test]
fn a_result_of_what_is_anothers_by_now_is_given_up() {
    let answer = |_: &Shelf| problem(401, "Invalid worker to update the work request");
    let (_folder, engine, _) = executing(answer);
    assert!(engine.complete(&LEASE, &Outcome::of(Ok(true))).is_err());
    let seat = &engine.shared.seats[0];
    assert!(!seat.has_result());
    assert_eq!(seat.shelf.read(), None);
}

/// One of a token that is disabled is not taken, and one of a request that is another's was never this worker's.
#[test]
fn an_error_is_a_result_as_any_other() {
    let (_folder, engine, _) = executing(|_| problem(403, "Error"));
    let outcome = Outcome::error(taskbay_core::ErrorCode::ExecuteFailed, "refused");
    engine.complete(&LEASE, &outcome).unwrap();
    assert!(engine.shared.seats[0].has_result());
}

/// The seat goes on, and the result is told from time to time.
#[track_caller]
fn is_set_aside(status: u16, after: usize) {
    let is_mended = Arc::new(Mutex::new(false));
    let sees = Arc::clone(&is_mended);
    let (folder, engine, _) = executing(move |_| {
        if *sees.lock().unwrap() {
            return Says::status(200);
        }
        problem(status, "No")
    });
    let (shared, seat) = (&engine.shared, &engine.shared.seats[0]);
    engine
        .append_log(
            &LEASE,
            &[NewLogLine {
                level: taskbay_engine::LogLevel::Info,
                message: "said".to_owned(),
            }],
        )
        .unwrap();
    engine.complete(&LEASE, &Outcome::of(Ok(true))).unwrap();
    for _ in 1..after {
        assert!(seat.has_result());
        let _ = shared.tell_kept(seat);
    }
    assert!(!seat.has_result());
    assert_eq!(seat.shelf.read(), None);
    let apart = folder.path().join("untold/1-7");
    assert!(apart.join("request.json").exists() && apart.join("task.log").exists());
    // As at the next start, and before the server is asked for work.
    let (number, found) = seat.shelf.apart().pop().unwrap();
    shared.untold.add(number, seat.token.clone(), found, false);
    shared.untold.tell_new(&shared.client, 1);
    assert!(apart.exists());
    *is_mended.lock().unwrap() = true;
    let (number, found) = seat.shelf.apart().pop().unwrap();
    shared.untold.add(number, seat.token.clone(), found, false);
    shared.untold.tell_new(&shared.client, 1);
    assert!(!apart.exists());
}

#[test]
fn a_result_that_is_never_taken_leaves_its_seat() {
    is_set_aside(400, 1);
    is_set_aside(404, 1);
    is_set_aside(500, 12);
    is_set_aside(401, 12);
    // As what stands before the server says it.
    is_set_aside(502, 120);
    is_set_aside(504, 120);
}

/// A server that fails once is not given up for what a gateway did before.
#[test]
fn each_has_a_patience_of_its_own() {
    let mut asked = 0;
    let asked = move || {
        asked += 1;
        if asked <= 2 * 24 { 502 } else { 500 }
    };
    let asked = Mutex::new(asked);
    let (_folder, engine, _) = executing(move |_| problem(asked.lock().unwrap()(), "No"));
    engine.complete(&LEASE, &Outcome::of(Ok(true))).unwrap();
    let (shared, seat) = (&engine.shared, &engine.shared.seats[0]);
    for _ in 0..30 {
        let _ = shared.tell_kept(seat);
    }
    assert!(seat.has_result());
}

/// While a worker ends, what is kept is told without the connection over which its server would answer with more work.
#[test]
fn a_kept_result_needs_no_connection() {
    let (_folder, engine, _) = executing(|_| Says::status(503));
    let (shared, seat) = (&engine.shared, &engine.shared.seats[0]);
    engine.drains();
    assert!(!shared.is_left_by(seat));
    engine.complete(&LEASE, &Outcome::of(Ok(true))).unwrap();
    assert!(seat.has_result() && shared.is_left_by(seat));

    let (_folder, engine, _) = executing(|_| Says::status(503));
    let (shared, seat) = (&engine.shared, &engine.shared.seats[0]);
    engine.complete(&LEASE, &Outcome::of(Ok(true))).unwrap();
    assert!(!shared.is_left_by(seat));
    engine.drains();
    assert!(seat.has_result() && shared.is_left_by(seat));
}

/// Nothing that it takes is missed.
#[test]
fn a_result_waits_for_a_server_that_is_away() {
    let (_folder, engine, _) = executing(|_| Says::status(503));
    engine.complete(&LEASE, &Outcome::of(Ok(true))).unwrap();
    let (shared, seat) = (&engine.shared, &engine.shared.seats[0]);
    for _ in 0..130 {
        shared.tell_kept(seat).unwrap_err();
    }
    assert!(seat.has_result());
}

/// Logs that never arrive while all else does cost no result.
#[test]
fn a_result_does_not_wait_for_its_logs_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::at(folder.path().join("seat")).unwrap();
    let server = StandIn::new(|asked| match asked.line.as_str() {
        "POST /api/1.0/artifact/" => Says::status(504),
        "GET /api/1.0/worker/dynamic-metadata/" => Says::status(405),
        _ => Says::status(200),
    });
    let logs = DebugLogs::begin(shelf);
    let mut record = Record::of_noop(7);
    let token = Token::parse("secret").unwrap();
    for _ in 0..120 {
        let told = delivery::tell(&server.client, &token, &logs, &mut record);
        let fate = told.unwrap_err().fate(&server.client, &token, &mut record);
        assert_eq!(fate, delivery::Fate::Waits);
    }
    delivery::tell(&server.client, &token, &logs, &mut record).unwrap();
}

/// What a worker says is one artifact, however often the server fails in between.
#[test]
fn logs_are_one_artifact() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::at(folder.path().join("seat")).unwrap();
    let (mut is_there, mut failures) = (false, 3);
    let server = StandIn::new(move |asked| {
        let hash = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        let artifact = serde_json::json!({
            "id": 5, "category": "debusine:work-request-debug-logs", "data": {}, "download_tar_gz_url": null,
            "files": {"cmd-output.log": {"size": 6, "checksums": {"sha256": hash}, "type": "file", "url": null}},
            "files_to_upload": ["cmd-output.log"],
        });
        match asked.line.as_str() {
            "POST /api/1.0/artifact/" => {
                assert!(!is_there, "there is one already");
                is_there = true;
                Says::status(201).body(artifact.to_string())
            }
            "GET /api/1.0/artifact/5/" => Says::status(200).body(artifact.to_string()),
            "PUT /api/1.0/artifact/5/files/cmd-output.log/" if failures > 0 => {
                failures -= 1;
                Says::status(502)
            }
            line if line.starts_with("PUT ") => Says::status(201),
            line => panic!("{line}"),
        }
    });
    let logs = DebugLogs::begin(shelf.clone());
    logs.append(&[NewLogLine {
        level: taskbay_engine::LogLevel::Output,
        message: "hello".to_owned(),
    }])
    .unwrap();
    let mut record = Record::of_noop(7);
    let token = Token::parse("secret").unwrap();
    let login = delivery::login(&record, &token);
    for _ in 0..3 {
        assert!(delivery::send_logs(&server.client, &login, &logs, &mut record).is_err());
        // As after the end of the process.
        record = shelf.read().unwrap();
    }
    delivery::send_logs(&server.client, &login, &logs, &mut record).unwrap();
    assert!(record.are_logs_sent);
}
