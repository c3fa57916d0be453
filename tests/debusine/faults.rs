//! What goes wrong in mid-run, with our worker: nothing is lost, and nothing recorded twice.
//!
//! The task is `mmdebstrap`, whose program is a fake one here.

use crate::{
    api::LIMIT,
    fake,
    proxy::Proxy,
    server::Server,
    worker::{Kind, Place, Worker},
};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{fs, thread, time::Duration};

/// The server notes each completion by itself.
const LEDGER: &str = "
    create table ledger (request bigint not null, result text not null);
    create function note() returns trigger language plpgsql as $$ begin
        insert into ledger values (new.id, new.result);
        return null;
    end $$;
    create trigger ledger after update on db_workrequest for each row
        when (new.status = 'completed' and old.result is distinct from new.result) execute function note();";

/// A server with our worker, in the midst of a request.
struct Midst<'s> {
    server: &'s Server,
    worker: Worker<'s>,
    request: i64,
}

impl<'s> Midst<'s> {
    /// One whose worker goes through that address, and makes so many bytes.
    fn of(server: &'s Server, url: &str, size: u64) -> Self {
        server.records.change(LEDGER);
        let place = Place::new(url);
        fake::add_to(&place, size);
        let worker = Worker::start_in(server, Kind::Ours, place);
        let request = server.submit("mmdebstrap", &fake::request());
        let midst = Self {
            server,
            worker,
            request,
        };
        midst.has_begun(1);
        midst
    }

    /// Waits until the program was started that often.
    #[track_caller]
    fn has_begun(&self, times: usize) {
        let begun = self.worker.place().path("begun");
        self.worker.wait_until("begin", || {
            fs::read_to_string(&begun).is_ok_and(|begun| begun.lines().count() == times)
        });
    }

    fn go_on(&self) {
        fake::go_on(self.worker.place());
    }

    /// The request that stands for what was asked now: the same, or one that the server put in its place.
    fn current(&self) -> i64 {
        let query = "select max(id) as id from db_workrequest where task_name = 'mmdebstrap'";
        self.server.records.row(query)["id"].as_i64().unwrap()
    }

    /// Asserts that it succeeds, once, and made what it had to, once.
    #[track_caller]
    fn ends_well(&self) {
        let log = || self.worker.place().log();
        let is_done = |request: &Value| request["status"] == "completed";
        self.worker.wait_until("complete it", || {
            let request = self.server.records.request(self.current());
            request.is_ok_and(|request| is_done(&request))
        });
        let ledger = "select request, ledger.result from ledger join db_workrequest done on done.id = request
            where task_name = 'mmdebstrap'";
        let ledger = self.server.records.rows(ledger);
        let once = json!([{"request": self.current(), "result": "success"}]);
        assert_eq!(json!(ledger), once, "{}", log());
        let made = self.server.records.made_by(self.current());
        let systems: Vec<_> = made
            .iter()
            .filter(|made| made["category"] == "debian:system-tarball")
            .collect();
        assert_eq!(systems.len(), 1, "{made:#?}\n{}", log());
        let size: u64 = fs::read_to_string(self.worker.place().path("size"))
            .unwrap()
            .parse()
            .unwrap();
        for file in systems[0]["files"].as_array().unwrap() {
            assert_eq!(file["complete"], true, "{made:#?}");
            assert_eq!(file["size"], size, "{made:#?}");
        }
    }
}

#[test]
fn a_server_is_restarted_in_mid_run() {
    let Some(server) = Server::start_in_full() else {
        return;
    };
    let midst = Midst::of(&server, server.url(), 1000);
    server.tell("stop server");
    // What it would tell now has to be kept.
    midst.go_on();
    thread::sleep(Duration::from_secs(2));
    server.tell("start server");
    midst.ends_well();
    assert_eq!(midst.current(), midst.request);
}

#[test]
fn a_database_is_down_at_the_end_of_a_run() {
    let Some(server) = Server::start_in_full() else {
        return;
    };
    let midst = Midst::of(&server, server.url(), 1000);
    server.tell("kill database");
    midst.go_on();
    thread::sleep(Duration::from_secs(2));
    server.tell("start database");
    midst.ends_well();
}

/// The server takes the request away from a worker that is disabled, and has it done anew.
#[test]
fn a_token_is_disabled_in_mid_run() {
    let Some(server) = Server::start_in_full() else {
        return;
    };
    let midst = Midst::of(&server, server.url(), 1000);
    let name = server.records.row("select name from db_worker");
    let name = name["name"].as_str().unwrap();
    server.admin(&["manage_worker", "disable", name]);
    midst.go_on();
    thread::sleep(Duration::from_secs(2));
    server.admin(&["manage_worker", "enable", name]);
    midst.ends_well();
}

#[test]
fn a_connection_is_cut_in_the_middle_of_an_upload() {
    let Some(server) = Server::start_in_full() else {
        return;
    };
    let proxy = Proxy::before(server.port());
    let midst = Midst::of(&server, &proxy.url(), 60_000_000);
    proxy.cut_after(20_000_000);
    midst.go_on();
    midst.ends_well();
    assert_eq!(proxy.cut(), 1);
}

/// The server gives the request a new number, for whoever asks next under that name.
#[test]
fn a_worker_is_killed_in_mid_run() {
    let Some(server) = Server::start_in_full() else {
        return;
    };
    let midst = Midst::of(&server, server.url(), 1000);
    let Midst {
        worker, request, ..
    } = midst;
    let place = worker.end(Signal::KILL);
    let worker = Worker::start_in(&server, Kind::Ours, place);
    let midst = Midst {
        server: &server,
        worker,
        request,
    };
    midst.has_begun(2);
    midst.go_on();
    midst.ends_well();
    assert_ne!(midst.current(), request);
}

/// The server has registered the worker, and makes no second one.
#[test]
fn an_answer_to_registering_is_lost() {
    let Some(server) = Server::start_in_full() else {
        return;
    };
    let proxy = Proxy::before(server.port());
    proxy.lose_answer_to("POST /api/1.0/worker/register/");
    let worker = Worker::start_in(&server, Kind::Ours, Place::new(&proxy.url()));
    assert_eq!(proxy.cut(), 1);
    let workers = "select name from db_worker where worker_type = 'external'";
    let workers = server.records.rows(workers);
    assert_eq!(workers.len(), 1, "{workers:#?}\n{}", worker.place().log());
    let request = server.submit("noop", &json!({}));
    server.completes(request, LIMIT);
}

/// The seat goes on with other requests, and what is mended is told.
#[test]
fn a_server_fails_at_one_result_alone() {
    let Some(server) = Server::start_in_full() else {
        return;
    };
    let midst = Midst::of(&server, server.url(), 1000);
    let is_refused = "status <> 'completed' or task_name <> 'mmdebstrap'";
    let refuse =
        format!("alter table db_workrequest add constraint refused check ({is_refused}) not valid");
    server.records.change(&refuse);
    let noop = server.submit("noop", &json!({}));
    midst.go_on();
    server.completes(noop, LIMIT);
    let untold = fs::read_dir(midst.worker.place().path("state/debusine"))
        .unwrap()
        .flat_map(|server| fs::read_dir(server.unwrap().path().join("untold")).unwrap());
    assert_eq!(untold.count(), 1, "{}", midst.worker.place().log());
    server
        .records
        .change("alter table db_workrequest drop constraint refused");
    midst.ends_well();
}
