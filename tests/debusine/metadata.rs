//! What a worker says of itself: when that changes, when the server asks, and hourly.

use crate::{
    api::LIMIT,
    faketime,
    server::Server,
    site::until,
    system::Release,
    worker::{Kind, Place, Worker},
};
use serde_json::Value;
use std::fs;

/// An app that has the server ask its workers every two seconds, where it does so every hour.
const HURRIED: &str = "
from django.apps import AppConfig
class HurriedConfig(AppConfig):
    name = 'hurried'
    def ready(self):
        from debusine.server.consumers import WorkerConsumer
        assert WorkerConsumer.REQUEST_DYNAMIC_METADATA_SECONDS == 3600
        WorkerConsumer.REQUEST_DYNAMIC_METADATA_SECONDS = 2
";

/// When the only worker was connected, when it last spoke of itself, how many seconds lie in between, and what it said.
fn said(server: &Server) -> Value {
    server.records.row(
        "select connected_at, dynamic_metadata_updated_at as at,
            extract(epoch from dynamic_metadata_updated_at - connected_at)::float8 as later, dynamic_metadata as metadata
         from db_worker where worker_type = 'external'",
    )
}

/// Whether it says that it has that task.
fn has(server: &Server, said: &Value, task: &str) -> bool {
    let metadata = &said["metadata"];
    match server.system.release() {
        Release::Trixie => metadata[format!("{task}:version")] == 1,
        Release::Sid => {
            let tag = format!("worker:task:worker:{task}:version:1");
            metadata["provided_tags"]
                .as_array()
                .unwrap()
                .contains(&tag.into())
        }
    }
}

/// Waits until the worker has spoken of itself since, over the same connection, and says so.
#[track_caller]
fn says(server: &Server, since: &Value, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    until(LIMIT, what, || {
        let said = said(server);
        let is_new = said["at"].as_str() > since["at"].as_str();
        (is_new && said["connected_at"] == since["connected_at"] && is_so(&said)).then_some(said)
    })
}

#[track_caller]
fn what_changes_and_what_is_asked_is_told(server: &Server) {
    let worker = Worker::start(server, Kind::Ours);
    let first = said(server);
    assert!(has(server, &first, "blhc"), "{first:#}");
    fs::remove_file(worker.place().path("plugins/libtaskbay_task_blhc.so")).unwrap();
    let without = says(server, &first, "a plugin goes", |said| {
        !has(server, said, "blhc")
    });
    assert!(has(server, &without, "noop"), "{without:#}");
    worker.place().add_plugin("blhc");
    let with = says(server, &without, "a plugin comes", |said| {
        has(server, said, "blhc")
    });
    assert_eq!(with["metadata"], first["metadata"]);

    let app = server.folder().join("python/hurried");
    fs::create_dir_all(&app).unwrap();
    fs::write(app.join("__init__.py"), "").unwrap();
    fs::write(app.join("apps.py"), HURRIED).unwrap();
    let settings = "INSTALLED_APPS = [*defaults.INSTALLED_APPS, 'hurried']\n";
    fs::write(server.folder().join("local.py"), settings).unwrap();
    server.tell("stop server");
    server.tell("start server");
    let mut last = until(LIMIT, "it is connected again", || {
        let said = said(server);
        let is_back =
            said["connected_at"].is_string() && said["connected_at"] != first["connected_at"];
        (is_back && said["later"].as_f64() > Some(0.0)).then_some(said)
    });
    for _ in 0..3 {
        let next = says(server, &last, "it is asked", |_| true);
        assert_eq!(
            next["metadata"],
            first["metadata"],
            "{}",
            worker.place().log()
        );
        last = next;
    }
}

#[test]
fn what_changes_and_what_is_asked_is_told_to_0_11() {
    if let Some(server) = Server::start_in_full() {
        what_changes_and_what_is_asked_is_told(&server);
    }
}

#[test]
fn what_changes_and_what_is_asked_is_told_to_0_16() {
    if let Some(server) = Server::start_newer() {
        what_changes_and_what_is_asked_is_told(&server);
    }
}

/// The worker's clock runs fast; the server's, which would ask by itself after an hour, does not.
#[test]
fn it_speaks_of_itself_every_hour() {
    let (Some(server), Some(library)) = (Server::start_in_full(), faketime::library()) else {
        return;
    };
    let mut place = Place::new(server.url());
    fs::copy(library, place.path("faketime.so")).unwrap();
    let clock = place.path("clock");
    fs::write(&clock, "+0\n").unwrap();
    for (name, value) in [
        ("LD_PRELOAD", "/srv/faketime.so"),
        ("FAKETIME_TIMESTAMP_FILE", "/srv/clock"),
        ("FAKETIME_NO_CACHE", "1"),
    ] {
        place.set(name, value);
    }
    let _worker = Worker::start_in(&server, Kind::Ours, place);
    let fresh = clock.with_extension("fresh");
    fs::write(&fresh, "+0 x30\n").unwrap();
    fs::rename(fresh, clock).unwrap();
    // An hour takes two minutes now. The jump may cost a connection, and the first word over a new one is not the hour's.
    let limit = LIMIT * 4;
    until(limit, "it says it again", || {
        (said(&server)["later"].as_f64() > Some(60.0)).then_some(())
    });
}
