//! One worker on a server of its own, and what it costs there.

use crate::{
    api::LONG,
    fake,
    farm::built,
    figures::Figure,
    server::Server,
    usage,
    worker::{Kind, Place, Worker},
};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{
    fmt, fs, thread,
    time::{Duration, Instant, SystemTime},
};

/// How many noops a worker executes before it is measured.
const WARM_UP: u32 = 5;
/// How long a worker that has nothing to do is left alone before its memory is looked at.
const IDLE: Duration = Duration::from_secs(5);
/// How long what follows a request may take, such as a process that ends.
const SETTLING: Duration = Duration::from_secs(1);

/// How much is measured.
pub(crate) struct Sizes {
    pub(crate) rounds: u32,
    noops: u32,
    megabytes: u32,
}

/// A worker that is measured.
pub(crate) struct Trial<'s> {
    server: &'s Server,
    worker: Worker<'s>,
    sizes: &'s Sizes,
    figures: Vec<Figure>,
}

impl Sizes {
    pub(crate) const FULL: Self = Self {
        rounds: 3,
        noops: 50,
        megabytes: 500,
    };
    /// Enough to see that it works.
    pub(crate) const SHORT: Self = Self {
        rounds: 1,
        noops: 5,
        megabytes: 50,
    };
}

impl fmt::Display for Sizes {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rounds,
            noops,
            megabytes,
        } = self;
        write!(
            to,
            "rounds: {rounds}, noops: {noops}, upload: {megabytes} MB"
        )
    }
}

impl<'s> Trial<'s> {
    /// What such a worker costs on a fresh server.
    pub(crate) fn figures(kind: Kind, sizes: &Sizes) -> Vec<Figure> {
        let server = Server::start().unwrap();
        let mut trial = Trial::start(&server, kind, sizes);
        trial.idles("after the start");
        trial.noops();
        trial.idles("after noops");
        trial.upload();
        trial.figures
    }

    fn start(server: &'s Server, kind: Kind, sizes: &'s Sizes) -> Self {
        let place = Place::new(server.url());
        fake::add_to(&place, u64::from(sizes.megabytes) * 1_000_000);
        fake::go_on(&place);
        // A worker that is new has to wait until it is enabled.
        let place = Worker::start_in(server, kind, place).end(Signal::KILL);
        let entering = entering(server, &place);
        let since = now();
        let worker = Worker::spawn(server, kind, place);
        let query = format!(
            "select extract(epoch from connected_at)::float8 as connected,
                extract(epoch from dynamic_metadata_updated_at)::float8 as told
             from db_worker where worker_type = 'external'
                and least(connected_at, dynamic_metadata_updated_at) > to_timestamp({since})"
        );
        worker.wait_until("start", || !server.records.rows(&query).is_empty());
        let started = server.records.row(&query);
        let mut trial = Self {
            server,
            worker,
            sizes,
            figures: Vec::new(),
        };
        let took = |when: &str| started[when].as_f64().unwrap() - since - entering.as_secs_f64();
        trial.note("start-up, until it is connected", took("connected"), "s");
        trial.note("start-up, until it can have work", took("told"), "s");
        trial
    }

    fn idles(&mut self, when: &str) {
        thread::sleep(IDLE);
        let memory = usage::memory(self.worker.id());
        let processes = usage::count(self.worker.id());
        let found = [
            ("PSS", memory.proportional, "MB"),
            ("private memory", memory.private, "MB"),
            ("RSS", memory.resident, "MB"),
            ("processes", processes.into(), ""),
        ];
        for (what, value, unit) in found {
            self.note(&format!("idle {when}, {what}"), value, unit);
        }
    }

    fn noops(&mut self) {
        for _ in 0..WARM_UP {
            self.succeeds(self.submit_noop());
        }
        thread::sleep(SETTLING);
        let before = usage::time(self.worker.id());
        self.worker.signal(Signal::STOP);
        let requests: Vec<_> = (0..self.sizes.noops).map(|_| self.submit_noop()).collect();
        let since = now();
        self.worker.signal(Signal::CONT);
        let completed = requests.iter().map(|id| self.succeeds(*id));
        let took = completed.fold(0.0, f64::max) - since;
        thread::sleep(SETTLING);
        let after = usage::time(self.worker.id());
        let noops = self.sizes.noops;
        let mut per_noop = |what, took| self.note(what, took / f64::from(noops), "ms");
        per_noop("CPU per noop", after.all - before.all);
        per_noop(
            "CPU per noop, the worker's own process",
            after.own - before.own,
        );
        self.note(&format!("{noops} noops"), took, "s");
    }

    fn upload(&mut self) {
        let id = self.server.submit("mmdebstrap", &fake::request());
        let completed = self.succeeds(id);
        let made = fs::metadata(self.worker.place().path("made")).unwrap();
        let took = completed - epoch(made.modified().unwrap());
        let megabytes = self.sizes.megabytes;
        let artifacts = self.server.records.made_by(id);
        let is_whole = |file: &Value| {
            file["complete"] == true && file["size"] == u64::from(megabytes) * 1_000_000
        };
        let system = artifacts
            .iter()
            .find(|artifact| artifact["category"] == "debian:system-tarball");
        assert!(
            system.is_some_and(|system| is_whole(&system["files"][0])),
            "{artifacts:#?}"
        );
        self.note(&format!("upload of {megabytes} MB"), took, "s");
        self.note("upload, speed", f64::from(megabytes) / took, "MB/s");
    }

    fn submit_noop(&self) -> i64 {
        self.server.submit("noop", &json!({}))
    }

    /// Waits until it succeeds, and gives when the server heard of it.
    fn succeeds(&self, id: i64) -> f64 {
        let request = self.server.completes(id, LONG);
        let log = self.worker.place().log();
        assert_eq!(request["result"], "success", "{request:#}\n{log}");
        let completed = self.server.records.row(&format!(
            "select extract(epoch from completed_at)::float8 as at from db_workrequest where id = {id}"
        ));
        completed["at"].as_f64().unwrap()
    }

    fn note(&mut self, what: &str, value: f64, unit: &'static str) {
        self.figures.push(Figure {
            what: what.to_owned(),
            value,
            unit,
        });
    }
}

/// How long it takes until a program begins in the system: the middle of three times that `true` takes.
fn entering(server: &Server, place: &Place) -> Duration {
    let mut times = [(); 3].map(|()| {
        let mut enter = server.system.command(&place.path(""), &["true"]);
        let started = Instant::now();
        let status = enter
            .env("BIND", format!("{}:srv/built", built().display()))
            .status();
        assert!(status.unwrap().success());
        started.elapsed()
    });
    times.sort();
    times[1]
}

/// The time now, as the database has it.
fn now() -> f64 {
    epoch(SystemTime::now())
}

fn epoch(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}
