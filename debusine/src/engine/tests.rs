use super::*;
use crate::{
    debug_logs::DebugLogs,
    record::Shelf,
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
        // Its logs.
        _ => Says::status(404),
    });
    let seat = Seat::new(1, Token::parse("secret").unwrap(), shelf.clone());
    let record = Record {
        request: 7,
        task_name: "noop".into(),
        data_hash: "00".into(),
        workspace: "System".into(),
        token: None,
        scope: None,
        about: Vec::new(),
        are_logs_sent: false,
        log_tries: 0,
        completion: None,
    };
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

/// It is mostly due to the token: what the task uploaded was refused.
#[test]
fn an_error_while_a_token_is_disabled_is_no_result() {
    let (_folder, engine, _) = executing(|_| problem(403, "Error"));
    let outcome = Outcome::error(taskbay_core::ErrorCode::ExecuteFailed, "refused");
    assert!(engine.complete(&LEASE, &outcome).is_err());
    let seat = &engine.shared.seats[0];
    assert!(!seat.has_result());
    assert_eq!(seat.shelf.read(), None);
}
