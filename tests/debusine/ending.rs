//! A worker that is told to end: at first it finishes what it has, then it has no time left for that.

use crate::{
    api::LIMIT,
    fake,
    server::Server,
    worker::{Kind, Place, Worker},
};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{fs, path::Path, thread, time::Duration};

/// A worker in the midst of a request, and its number.
fn midst(server: &Server, place: Place) -> (Worker<'_>, i64) {
    let begun = fake::begun(&place);
    let worker = Worker::start_in(server, Kind::Ours, place);
    let request = server.submit("mmdebstrap", &fake::request());
    worker.wait_until("begin", || fake::begun(worker.place()) > begun);
    (worker, request)
}

/// The server has what is left for others: it gives nothing to a worker that will not ask for it.
#[track_caller]
fn the_first_signal_has_it_finish(server: &Server) {
    server.keeps_a_ledger();
    let place = Place::new(server.url());
    place.configure("[worker]\nslots = 2\n");
    fake::add_to(&place, 1000);
    let (worker, request) = midst(server, place);
    let idle =
        "select id from db_worker where connected_at is not null and worker_type = 'external'";
    worker.wait_until("be there twice", || {
        server.enable_workers();
        server.records.rows(idle).len() == 2
    });
    worker.signal(Signal::TERM);
    worker.wait_until("leave with what is idle", || {
        server.records.rows(idle).len() == 1
    });
    // Nobody is there for it, and nobody when the other is done.
    let later = server.submit("noop", &json!({}));
    thread::sleep(Duration::from_secs(1));
    assert!(worker.is_alive(), "{}", worker.place().log());
    fake::go_on(worker.place());
    let (code, place) = worker.ended();
    let log = place.log();
    assert_eq!(code, Some(0), "{log}");
    let done = server.completes(request, LIMIT);
    assert_eq!(done["result"], "success", "{done:#}\n{log}");
    let left = server.records.request(later).unwrap();
    let nobodys = (&left["status"], &left["worker_id"]);
    assert_eq!(nobodys, (&json!("pending"), &Value::Null), "{log}");
    let _worker = Worker::start_in(server, Kind::Ours, place);
    server.completes(later, LIMIT);
    for id in [request, later] {
        assert_eq!(server.ledger(id), json!(["given", "completed"]), "{log}");
    }
    assert_eq!(server.requests(), 2, "{log}");
}

#[test]
fn the_first_signal_has_it_finish_on_0_11() {
    if let Some(server) = Server::start_in_full() {
        the_first_signal_has_it_finish(&server);
    }
}

#[test]
fn the_first_signal_has_it_finish_on_0_16() {
    if let Some(server) = Server::start_newer() {
        the_first_signal_has_it_finish(&server);
    }
}

/// What runs stays with a worker that is gone, and has another number once that is back.
#[track_caller]
fn what_has_no_time_left_is_done_anew(server: &Server) {
    server.keeps_a_ledger();
    let mut place = Place::new(server.url());
    fake::add_to(&place, 1000);
    for (signals, settings) in [
        (&[Signal::TERM, Signal::TERM][..], ""),
        (&[Signal::TERM, Signal::INT], ""),
        (&[Signal::TERM], "[worker]\ndrain = \"1s\"\n"),
    ] {
        place.configure(settings);
        let before = server.requests();
        let begun = fake::begun(&place);
        let (worker, request) = midst(server, place);
        for signal in signals {
            worker.signal(*signal);
            thread::sleep(Duration::from_millis(500));
        }
        let code;
        (code, place) = worker.ended();
        let log = place.log();
        assert_eq!(code, Some(0), "{log}");
        let left = server.records.request(request).unwrap();
        assert_eq!(left["status"], "running", "{left:#}\n{log}");
        assert_ne!(left["worker_id"], Value::Null, "{left:#}\n{log}");
        assert!(
            debug_logs(server, request).contains("now it is begun"),
            "{log}"
        );
        fake::go_on(&place);
        let worker = Worker::start_in(server, Kind::Ours, place);
        let query = format!("select id from db_workrequest where supersedes_id = {request}");
        worker.wait_until("get it anew", || !server.records.rows(&query).is_empty());
        let again = server.records.row(&query)["id"].as_i64().unwrap();
        let done = server.completes(again, LIMIT);
        place = worker.end(Signal::TERM);
        let log = place.log();
        assert_eq!(done["result"], "success", "{done:#}\n{log}");
        assert_eq!(server.ledger(request), json!(["given", "aborted"]), "{log}");
        assert_eq!(server.ledger(again), json!(["given", "completed"]), "{log}");
        assert_eq!(server.requests(), before + 2, "{log}");
        assert_eq!(fake::begun(&place), begun + 2, "{log}");
        fake::waits(&place);
    }
}

/// What the debug logs of a request say that the server has.
#[track_caller]
fn debug_logs(server: &Server, request: i64) -> String {
    let made = server.records.made_by(request);
    let logs: Vec<_> = made
        .iter()
        .filter(|made| made["category"] == "debusine:work-request-debug-logs")
        .flat_map(|made| made["files"].as_array().unwrap())
        .collect();
    assert!(
        logs.iter().all(|file| file["complete"] == true),
        "{made:#?}"
    );
    let stored = |file: &&Value| {
        let hash = file["sha256"].as_str().unwrap();
        found(&server.folder().join("data/store"), hash).unwrap_or_default()
    };
    logs.iter().map(stored).collect()
}

/// What is in the file below a folder whose name begins so.
fn found(folder: &Path, beginning: &str) -> Option<String> {
    fs::read_dir(folder).unwrap().flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return found(&path, beginning);
        }
        let name = entry.file_name().into_string().unwrap();
        let is_it = name.starts_with(beginning);
        is_it.then(|| fs::read_to_string(path).unwrap())
    })
}

#[test]
fn what_has_no_time_left_is_done_anew_on_0_11() {
    if let Some(server) = Server::start_in_full() {
        what_has_no_time_left_is_done_anew(&server);
    }
}

#[test]
fn what_has_no_time_left_is_done_anew_on_0_16() {
    if let Some(server) = Server::start_newer() {
        what_has_no_time_left_is_done_anew(&server);
    }
}
