use super::*;
use crate::{
    completion::Completion,
    dialect::Dialect,
    record::Shelf,
    stand_in::{Asked, Says, StandIn},
    token::Token,
};
use std::{
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};
use taskbay_core::{Outcome, TaskName};
use tempfile::TempDir;

/// A seat whose server was told of a success a first time.
fn told_once(
    answer: impl FnMut(&Asked) -> Says + Send + 'static,
    are_logs_sent: bool,
) -> (TempDir, Shared, Seat) {
    let server = StandIn::new(answer);
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::at(folder.path().join("seat")).unwrap();
    let seat = Seat::new(1, Token::parse("secret").unwrap(), shelf);
    let shared = Shared::new(server.client.into(), Dialect::Plain, Vec::new());
    let mut record = Record::of_noop(7);
    record.are_logs_sent = are_logs_sent;
    let task = TaskName::fold("noop").unwrap();
    let completion = Completion::of(&task, &Outcome::of(Ok(true)), Duration::ZERO);
    record.completion = Some(completion);
    shared.complete(&seat, record).unwrap();
    (folder, shared, seat)
}

/// A server that fails at all is waited for, and so is one behind a front end that knows nothing of it.
#[test]
fn a_server_that_is_not_there_is_waited_for() {
    for status in [500, 404, 302] {
        let (_folder, shared, seat) = told_once(move |_| Says::status(status), true);
        for _ in 0..20 {
            assert!(shared.tell_kept(&seat).is_err());
        }
        assert!(seat.has_result());
    }
}

/// However often the server fails at taking what was said, in the end it is told the result.
#[test]
fn logs_cost_no_result() {
    let is_told = Arc::new(Mutex::new(false));
    let tells = Arc::clone(&is_told);
    let answer = move |asked: &Asked| match asked.line.as_str() {
        "PUT /api/1.0/work-request/7/completed/" => {
            *tells.lock().unwrap() = true;
            Says::status(200)
        }
        "GET /api/1.0/worker/dynamic-metadata/" => Says::status(405),
        _ => Says::status(500),
    };
    let (folder, shared, seat) = told_once(answer, false);
    for _ in 0..20 {
        assert!(seat.has_result());
        let _ = shared.tell_kept(&seat);
    }
    assert!(*is_told.lock().unwrap() && !seat.has_result());
    assert!(!folder.path().join("untold").exists());
}

/// Nor do those that are denied hold a seat whose result is refused for another reason.
#[test]
fn logs_that_are_denied_hold_no_seat() {
    let answer = |asked: &Asked| match asked.line.as_str() {
        "PUT /api/1.0/work-request/7/completed/" => Says::status(400).body(r#"{"title": "No"}"#),
        "GET /api/1.0/worker/dynamic-metadata/" => Says::status(405),
        _ => Says::status(403).body(r#"{"title": "Error"}"#),
    };
    let (folder, _, seat) = told_once(answer, false);
    assert!(!seat.has_result());
    assert!(folder.path().join("untold/1-7/request.json").exists());
}

/// Nothing is in the way of a result that is set aside, and where there is no room its seat waits with it.
#[test]
fn there_may_be_one_of_that_number() {
    let answer = |asked: &Asked| match asked.line.as_str() {
        "GET /api/1.0/worker/dynamic-metadata/" => Says::status(405),
        _ => Says::status(400).body(r#"{"title": "No"}"#),
    };
    let (folder, shared, seat) = told_once(answer, true);
    assert!(!seat.has_result());
    let record = Shelf::at(folder.path().join("untold/1-7")).unwrap();
    shared.complete(&seat, record.read().unwrap()).unwrap();
    assert!(!seat.has_result());
    assert!(folder.path().join("untold/1-7-2/request.json").exists());
    fs::remove_dir_all(folder.path().join("untold")).unwrap();
    fs::write(folder.path().join("untold"), "").unwrap();
    let again = Record {
        refusals: 0,
        ..Record::of_noop(8)
    };
    shared.complete(&seat, again).unwrap();
    assert!(seat.has_result() && shared.tell_kept(&seat).is_err());
}
