//! Our worker and a server of Debusine 0.16.2, or a later one.

use crate::{
    api::LIMIT,
    fake,
    server::Server,
    site::until,
    stored::Stored,
    worker::{Kind, Place, Worker},
};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt, thread, time::Duration};

/// The codes of the errors that a request ended with.
fn codes(request: &Value) -> Vec<&str> {
    let errors = request["output_data"]["errors"].as_array();
    let errors = errors.into_iter().flatten();
    errors
        .map(|error| error["code"].as_str().unwrap())
        .collect()
}

#[test]
fn requests_end_as_they_say_and_once() {
    let Some(server) = Server::start_newer() else {
        return;
    };
    server.keeps_a_ledger();
    let worker = Worker::start(&server, Kind::Ours);
    for (result, expected, code) in [
        ("success", "success", None),
        ("failure", "failure", None),
        ("error", "error", Some("execute-failed")),
        // No attempt ends so.
        ("skipped", "error", Some("configure-failed")),
    ] {
        let id = server.submit("noop", &json!({"result": result}));
        let request = server.completes(id, LIMIT);
        let log = worker.place().log();
        assert_eq!(request["result"], expected, "{request:#}\n{log}");
        assert_eq!(codes(&request), Vec::from_iter(code), "{request:#}");
        assert_eq!(server.ledger(id), json!(["given", "completed"]), "{log}");
    }
    // What it works on is fetched with the token that each request has.
    let stored = Stored::on(&server);
    let data = json!({"input": {"source_artifact": stored.sources[0]}, "fail_on_severity": "none"});
    let id = server.submit("lintian", &data);
    let request = server.completes(id, LIMIT);
    assert_eq!(request["result"], "success", "{request:#}");
    let made = server.records.made_by(id);
    let analysis = made
        .iter()
        .find(|made| made["category"] == "debian:lintian");
    assert_eq!(analysis.unwrap()["data"]["architecture"], "source");
    assert_eq!(server.requests(), 5, "one was tried again");
}

/// Between the worker's word and what comes of it the server takes the request for one that runs.
#[test]
fn a_result_that_is_taken_in_late_is_the_only_one() {
    let Some(server) = Server::start_newer() else {
        return;
    };
    server.keeps_a_ledger();
    let place = Place::new(server.url());
    fake::add_to(&place, 1000);
    let worker = Worker::start_in(&server, Kind::Ours, place);
    let id = server.submit("mmdebstrap", &fake::request());
    worker.wait_until("begin", || worker.place().path("begun").exists());
    // This takes results in.
    server.tell("kill scheduler");
    fake::go_on(worker.place());
    let told =
        "select id from django_celery_results_taskresult where task_name like '%as_completed'";
    worker.wait_until("tell the result", || !server.records.rows(told).is_empty());
    // Over a new connection the server offers what it takes for running.
    let place = worker.end(Signal::TERM);
    let worker = Worker::start_in(&server, Kind::Ours, place);
    thread::sleep(Duration::from_secs(10));
    server.tell("start scheduler");
    let request = server.completes(id, LIMIT);
    let log = worker.place().log();
    assert_eq!(request["result"], "success", "{request:#}\n{log}");
    assert_eq!(server.ledger(id), json!(["given", "completed"]), "{log}");
    let begun = fs::read_to_string(worker.place().path("begun")).unwrap();
    assert_eq!(begun.lines().count(), 1, "{log}");
}

#[test]
fn what_a_task_says_is_there_while_it_runs() {
    let Some(server) = Server::start_newer() else {
        return;
    };
    let place = Place::new(server.url());
    fake::add_to(&place, 1000);
    let worker = Worker::start_in(&server, Kind::Ours, place);
    let id = server.submit("mmdebstrap", &fake::request());
    until(LIMIT, "it is heard", || {
        live_log(&server, id)
            .contains("now it is begun")
            .then_some(())
    });
    fake::go_on(worker.place());
    let request = server.completes(id, LIMIT);
    assert_eq!(request["result"], "success", "{request:#}");
    let made = server.records.made_by(id);
    let system = made
        .iter()
        .find(|made| made["category"] == "debian:system-tarball")
        .unwrap();
    assert_eq!(system["data"]["components"], json!(["main"]));
    assert_eq!(system["files"][0]["complete"], true);
}

/// What the server has of what a request says.
fn live_log(server: &Server, id: i64) -> String {
    let key = format!("task:logs:{id}");
    let words = [
        "redis-cli",
        "-s",
        "/srv/run/redis",
        "-n",
        "2",
        "xrange",
        &key,
        "-",
        "+",
    ];
    let said = server.system.command(server.folder(), &words).output();
    String::from_utf8(said.unwrap().stdout).unwrap()
}

#[test]
fn an_activation_token_is_the_right_one() {
    let Some(server) = Server::start_newer() else {
        return;
    };
    let activated = |token: &str| {
        let place = Place::new(server.url());
        let file = place.path("home/.config/debusine/worker/activation-token");
        fs::write(&file, token).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        Worker::spawn(&server, Kind::Ours, place)
    };
    let mut refused = activated(&"0".repeat(64));
    let code = refused.exit_code();
    let log = refused.place().log();
    assert!(code != Some(0) && log.contains("(400)"), "{code:?}: {log}");
    assert!(
        !refused
            .place()
            .path("home/.config/debusine/worker/token")
            .exists()
    );
    let token = server.admin(&["worker", "create", "here.example.org"]);
    let accepted = activated(token.trim());
    accepted.registers();
    let id = server.submit("noop", &json!({}));
    server.completes(id, LIMIT);
}

/// A request that is with a worker, with the server's transaction that holds it.
#[test]
fn a_request_that_is_locked_is_waited_for() {
    let Some(server) = Server::start_newer() else {
        return;
    };
    server.keeps_a_ledger();
    let place = Worker::start(&server, Kind::Ours).end(Signal::TERM);
    let id = server.submit("noop", &json!({}));
    server.records.change(&format!(
        "update db_workrequest set worker_id = (select id from db_worker where worker_type = 'external') where id = {id}"
    ));
    let lock = server.records.lock(&format!(
        "select id from db_workrequest where id = {id} for no key update"
    ));
    let worker = Worker::start_in(&server, Kind::Ours, place);
    // Each time that it asks.
    worker.wait_until("ask twice", || {
        worker.place().log().matches("is locked").count() > 1
    });
    assert_eq!(server.ledger(id), json!([]));
    drop(lock);
    server.completes(id, LIMIT);
    let log = worker.place().log();
    assert_eq!(server.ledger(id), json!(["given", "completed"]), "{log}");
    assert!(!log.contains("no request is taken"), "{log}");
}

/// What has made nothing yet comes back under its number, a few times.
#[test]
fn a_worker_that_was_killed_gets_the_same_request() {
    let Some(server) = Server::start_newer() else {
        return;
    };
    server.keeps_a_ledger();
    let place = Place::new(server.url());
    fake::add_to(&place, 1000);
    let (finished, place) = is_killed(&server, place, 1);
    let (given_up, place) = is_killed(&server, place, 4);
    let log = place.log();
    assert_eq!(
        server.ledger(finished),
        json!(["given", "completed"]),
        "{log}"
    );
    assert_eq!(
        server.ledger(given_up),
        json!(["given", "aborted"]),
        "{log}"
    );
    assert_eq!(fake::begun(&place), 2 + 4, "{log}");
    assert_eq!(server.requests(), 4, "one has another number: {log}");
    let again =
        format!("work request {finished}, which this worker did not finish, is given out again");
    assert!(log.contains(&again), "{log}");
}

/// A request whose worker is killed so often in the midst of it, and once more begins with it.
fn is_killed(server: &Server, mut place: Place, kills: usize) -> (i64, Place) {
    let begun = fake::begun(&place);
    let id = server.submit("mmdebstrap", &fake::request());
    for times in 1..=kills {
        let worker = Worker::start_in(server, Kind::Ours, place);
        worker.wait_until("begin", || fake::begun(worker.place()) == begun + times);
        place = worker.end(Signal::KILL);
    }
    fake::go_on(&place);
    let worker = Worker::start_in(server, Kind::Ours, place);
    server.wait(id, LIMIT, |request| {
        request["status"] == "completed" || request["status"] == "aborted"
    });
    // It works on, whatever became of that.
    let next = server.submit("noop", &json!({}));
    server.completes(next, LIMIT);
    fake::waits(worker.place());
    (id, worker.end(Signal::TERM))
}
