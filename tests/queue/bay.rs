//! A farm with an engine, and the processes that meet in it.

use crate::{
    farm::{Farm, Ran},
    server,
};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use serde_json::Value;
use std::{
    fs::File,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use taskbay_engine::{Engine, open};

/// Many times what is needed, on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_mins(2);

/// A farm with an engine.
pub(crate) struct Bay {
    pub(crate) farm: Farm,
    pub(crate) url: String,
}

/// A service that runs; it is killed when dropped.
pub(crate) struct Service(Child);

impl Bay {
    pub(crate) fn sqlite() -> Self {
        let farm = Farm::with(&["noop", "sleep"]);
        let url = format!("sqlite://{}", farm.path("queue.db").display());
        Self { farm, url }
    }

    /// One whose engine is there.
    pub(crate) fn at(url: String) -> Self {
        let farm = Farm::with(&["noop", "sleep"]);
        Self { farm, url }
    }

    /// The engine, as this process has it.
    pub(crate) fn engine(&self) -> Arc<dyn Engine> {
        open(&self.url).unwrap()
    }

    /// One in a database of its own; none where PostgreSQL is not installed.
    pub(crate) fn postgres() -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let server = server::get()?;
        let name = format!("queue_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let made = Command::new("psql")
            .arg(server.url("postgres", "postgres"))
            .args(["-qc", &format!("create database {name}")])
            .status();
        assert!(made.unwrap().success());
        let farm = Farm::with(&["noop", "sleep"]);
        let url = server.url("postgres", &name);
        Some(Self { farm, url })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.farm.command(arguments);
        command.env("TASKBAY_ENGINE", &self.url);
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// Starts a service; what it says is in a file, for whoever looks for a fault.
    pub(crate) fn start(&self, arguments: &[&str]) -> Service {
        self.start_with(arguments, &[])
    }

    /// Starts a service with more in its environment.
    pub(crate) fn start_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Service {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let log = File::create(self.farm.path(&format!("service-{number}.log"))).unwrap();
        let child = hearing_hangups(&self.command(arguments))
            .env("RUST_LOG", "info")
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        Service(child.unwrap())
    }

    /// A worker whose leases are short.
    pub(crate) fn worker(&self, name: &str) -> Service {
        self.start(&[
            "worker", "--name", name, "--slots", "1", "--lease", "3s", "--grace", "1s",
        ])
    }

    /// A worker that executes several requests at a time.
    pub(crate) fn wide_worker(&self, name: &str) -> Service {
        self.start(&[
            "worker", "--name", name, "--slots", "4", "--lease", "3s", "--grace", "1s",
        ])
    }

    pub(crate) fn scheduler(&self) -> Service {
        self.start(&["scheduler"])
    }

    /// Submits a request, and gives its number.
    pub(crate) fn submit(&self, arguments: &[&str]) -> i64 {
        let ran = self.run(&[&["submit", "--json"], arguments].concat());
        ran.succeeds().json()["id"].as_i64().unwrap()
    }

    pub(crate) fn show(&self, id: i64) -> Value {
        self.run(&["show", &id.to_string(), "--json"])
            .succeeds()
            .json()
    }

    /// The request, once that is so.
    #[track_caller]
    pub(crate) fn wait(&self, id: i64, is_so: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + LIMIT;
        loop {
            let request = self.show(id);
            if is_so(&request) {
                return request;
            }
            assert!(Instant::now() < until, "{request:#}\n{}", self.logs());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The request, once a worker has it for that time.
    #[track_caller]
    pub(crate) fn runs(&self, id: i64, attempt: usize) -> Value {
        let is_so =
            |request: &Value| request["status"] == "running" && attempts(request).len() == attempt;
        self.wait(id, is_so)
    }

    #[track_caller]
    pub(crate) fn completes(&self, id: i64) -> Value {
        self.wait(id, |request| request["status"] == "completed")
    }

    /// Waits until that is so.
    #[track_caller]
    pub(crate) fn wait_until(&self, is_so: impl Fn() -> bool) {
        let until = Instant::now() + LIMIT;
        while !is_so() {
            assert!(Instant::now() < until, "{}", self.logs());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What all services said.
    pub(crate) fn logs(&self) -> String {
        let mut said = String::new();
        for entry in std::fs::read_dir(self.farm.path("")).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with("service-") {
                said.push_str(&std::fs::read_to_string(entry.path()).unwrap());
            }
        }
        said
    }
}

/// The same command with SIGHUP as it is by default: whoever started the tests below `nohup` ignores it.
fn hearing_hangups(command: &Command) -> Command {
    let mut hearing = Command::new("/usr/bin/env");
    hearing
        .arg("--default-signal=HUP")
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear();
    for (variable, value) in command.get_envs() {
        if let Some(value) = value {
            hearing.env(variable, value);
        }
    }
    if let Some(directory) = command.get_current_dir() {
        hearing.current_dir(directory);
    }
    hearing
}

pub(crate) fn attempts(request: &Value) -> &Vec<Value> {
    request["attempts"].as_array().unwrap()
}

impl Service {
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Lets it, and what it starts from now on, have so many files open.
    pub(crate) fn may_have_open(&self, files: u64) {
        let limit = Rlimit {
            current: Some(files),
            maximum: getrlimit(Resource::Nofile).maximum,
        };
        prlimit(Some(Pid::from_child(&self.0)), Resource::Nofile, limit).unwrap();
    }

    /// Waits for its end, and gives its exit code.
    pub(crate) fn ends(mut self) -> Option<i32> {
        let until = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < until, "it does not end");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
