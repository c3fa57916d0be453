use super::*;
use crate::{
    asking,
    completion::Completion,
    dialect::Dialect,
    record::Shelf,
    seat::Work,
    stand_in::{Asked, Says, StandIn},
    token::Token,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use taskbay_core::{Outcome, TaskName};
use tempfile::TempDir;

const NEXT: &str = "POST /api/1.0/work-request/get-next-for-worker/";
const LOOK: &str = "GET /api/1.0/work-request/7/";
const COMPLETE: &str = "PUT /api/1.0/work-request/7/completed/";

/// A worker of a server of the later kind, which has told the result of work request 7.
struct Bay {
    shared: Shared,
    asked: Arc<Mutex<Vec<Asked>>>,
    _folder: TempDir,
}

impl Bay {
    fn before(answer: impl Fn(&str) -> Says + Send + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = StandIn::new(move |asked| answer(&asked.line));
        let shelf = Shelf::at(folder.path().join("seat")).unwrap();
        let seat = Seat::new(1, Token::parse("secret").unwrap(), shelf);
        seat.has_told(record());
        let client = Arc::new(server.client);
        Self {
            shared: Shared::new(client, Dialect::Scoped, vec![seat]),
            asked: server.asked,
            _folder: folder,
        }
    }

    fn seat(&self) -> &Seat {
        &self.shared.seats[0]
    }

    /// The number of the request that it is given.
    fn next(&self) -> Option<i64> {
        let claim = asking::next(&self.shared, self.seat()).unwrap();
        claim.map(|claim| claim.lease.request)
    }

    /// What the server was asked since, each with the token.
    fn asked(&self) -> Vec<(String, String)> {
        let asked = self.asked.lock().unwrap().split_off(0);
        let asked = asked.into_iter();
        asked
            .map(|asked| (asked.line, asked.token.unwrap_or_default()))
            .collect()
    }
}

fn record() -> Record {
    let task = TaskName::fold("noop").unwrap();
    let outcome = Outcome::of(Ok(true));
    Record {
        token: Some("seven".into()),
        scope: Some("debusine".into()),
        are_logs_sent: true,
        completion: Some(Completion::of(&task, &outcome, Duration::ZERO)),
        ..Record::of_noop(7)
    }
}

fn says(document: &Value) -> Says {
    Says::status(200).body(document.to_string())
}

fn gives(request: i64) -> Says {
    says(&json!({
        "id": request, "task_name": "noop", "task_type": "Worker", "task_data": {}, "workspace": "System",
        "scope": "debusine", "token": "another",
    }))
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(line, token): &(&str, &str)| ((*line).to_owned(), (*token).to_owned());
    pairs.iter().map(owned).collect()
}

/// Asked for work, it would take the request for one that was lost.
#[test]
fn a_server_that_has_not_taken_a_result_in_is_not_asked_for_work() {
    let status = Arc::new(Mutex::new("running"));
    let says_it = Arc::clone(&status);
    let bay = Bay::before(move |line| match line {
        LOOK => says(&json!({"status": *says_it.lock().unwrap()})),
        _ => gives(8),
    });
    assert_eq!(bay.next(), None);
    assert_eq!(bay.asked(), pairs(&[(LOOK, "seven")]));
    assert!(matches!(bay.seat().state().work, Work::Nothing));
    assert!(bay.seat().state().polling.left(Instant::now()) <= Duration::from_secs(5));
    *status.lock().unwrap() = "completed";
    assert_eq!(bay.next(), Some(8));
    assert_eq!(bay.asked(), pairs(&[(LOOK, "seven"), (NEXT, "secret")]));
}

#[test]
fn a_token_that_ended_with_its_request_says_that_it_is_over() {
    let bay = Bay::before(|line| match line {
        LOOK => Says::status(403),
        _ => gives(8),
    });
    assert_eq!(bay.next(), Some(8));
}

/// What is offered over the connection that was there when the result was told is something new; what is offered with a
/// new connection may be the request itself.
#[test]
fn an_offer_says_whether_a_result_is_taken_in() {
    let bay = Bay::before(|line| match line {
        LOOK => says(&json!({"status": "running"})),
        _ => gives(8),
    });
    bay.seat().is_offered(Instant::now());
    assert_eq!(bay.next(), None);
    let before = Instant::now();
    let given = |when| bay.seat().state().given = Some((7, when));
    // It was told over a new connection, which may remind of it all the same.
    given(before);
    bay.seat().has_told(record());
    bay.seat().is_offered(Instant::now());
    assert_eq!(bay.next(), None);
    given(Instant::now());
    bay.seat().has_told(record());
    bay.asked();
    bay.seat().is_offered(before);
    assert_eq!(bay.next(), Some(8));
    assert_eq!(bay.asked(), pairs(&[(NEXT, "secret")]));
}

#[test]
fn a_request_that_comes_back_is_not_executed_again() {
    let bay = Bay::before(|line| match line {
        LOOK => says(&json!({"status": "pending"})),
        COMPLETE => Says::status(200),
        _ => gives(7),
    });
    assert_eq!(bay.next(), None);
    let told = bay.asked.lock().unwrap().last().unwrap().body.clone();
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told, json!(record().completion));
    let expected = [(LOOK, "seven"), (NEXT, "secret"), (COMPLETE, "another")];
    assert_eq!(bay.asked(), pairs(&expected));
    // It is not settled with that.
    assert_eq!(bay.next(), None);
    assert_eq!(bay.asked()[0], (LOOK.to_owned(), "another".to_owned()));
}

/// A server that was set back gives out numbers anew.
#[test]
fn another_request_of_that_number_is_executed() {
    let bay = Bay::before(|line| match line {
        LOOK => says(&json!({"status": "pending"})),
        _ => says(&json!({
            "id": 7, "task_name": "noop", "task_type": "Worker", "task_data": {"result": false}, "workspace": "System",
            "scope": "debusine", "token": "another",
        })),
    });
    assert_eq!(bay.next(), Some(7));
}

/// A server whose workflow is locked says so, and is asked again.
#[test]
fn a_locked_workflow_is_waited_for() {
    let tries = Mutex::new(0);
    let bay = Bay::before(move |line| {
        let mut tries = tries.lock().unwrap();
        *tries += 1;
        match (line, *tries) {
            (NEXT, 4..) => gives(8),
            (NEXT, _) => Says::status(423).body(json!({"title": "Retry"}).to_string()),
            _ => says(&json!({"status": "completed"})),
        }
    });
    for _ in 0..2 {
        assert_eq!(bay.next(), None);
        let state = bay.seat().state();
        assert!(matches!(state.work, Work::Nothing));
        assert!(state.polling.left(Instant::now()) <= Duration::from_secs(5));
    }
    assert_eq!(bay.next(), Some(8));
}
