//! The requests that both workers execute, and what they come to.

use crate::{
    account::Account,
    api::LONG,
    server::Server,
    stored::Stored,
    worker::{Kind, Worker},
};
use rustix::process::Signal;
use serde_json::{Value, json};

/// One worker, the requests that it executes, and what came of them.
pub(crate) struct Run<'s> {
    server: &'s Server,
    worker: Worker<'s>,
    accounts: Vec<(&'static str, Account)>,
}

impl<'s> Run<'s> {
    pub(crate) fn with(server: &'s Server, kind: Kind) -> Self {
        Self {
            server,
            worker: Worker::start(server, kind),
            accounts: Vec::new(),
        }
    }

    /// Has a task executed, and gives the number of the request.
    #[track_caller]
    pub(crate) fn execute(&mut self, name: &'static str, task: &str, data: &Value) -> i64 {
        let id = self.server.submit(task, data);
        self.server.completes(id, LONG);
        self.accounts.push((name, Account::of(self.server, id)));
        id
    }

    /// The only artifact of that category that a request made.
    #[track_caller]
    fn made(&self, id: i64, category: &str) -> i64 {
        let made = self.server.records.made_by(id);
        let mut found = made.iter().filter(|made| made["category"] == category);
        let only = found
            .next()
            .unwrap_or_else(|| panic!("no {category}: {made:#?}\n{}", self.worker.place().log()));
        assert!(found.next().is_none(), "{made:#?}");
        only["id"].as_i64().unwrap()
    }

    /// Makes a system, and does in it what leads to a package that is tested.
    pub(crate) fn in_a_system(&mut self, stored: &Stored, mirror: &str) {
        let data = json!({
            "bootstrap_options": {"architecture": "amd64", "variant": "buildd"},
            "bootstrap_repositories": [{"mirror": mirror, "suite": "trixie", "components": ["main"]}],
        });
        let id = self.execute("mmdebstrap", "mmdebstrap", &data);
        let environment = self.made(id, "debian:system-tarball");
        let [source, newer] = stored.sources;
        let data = json!({
            "input": {"source_artifact": source}, "environment": environment, "backend": "unshare",
            "host_architecture": "amd64", "build_components": ["all"],
        });
        let id = self.execute("sbuild", "sbuild", &data);
        let package = self.made(id, "debian:binary-package");
        let log = self.made(id, "debian:package-build-log");
        let data = json!({
            "input": {"source_artifact": source, "binary_artifacts": [package]}, "environment": environment,
        });
        self.execute("lintian", "lintian", &data);
        let data = json!({"input": {"artifact": log}, "environment": environment});
        self.execute("blhc", "blhc", &data);
        let data = json!({
            "input": {"source_artifacts": [source, newer]}, "environment": environment, "host_architecture": "amd64",
        });
        self.execute("debdiff", "debdiff", &data);
        let data = json!({
            "input": {"source_artifact": source, "binary_artifacts": [package]}, "environment": environment,
            "host_architecture": "amd64", "backend": "unshare",
        });
        self.execute("autopkgtest", "autopkgtest", &data);
    }

    /// What needs no system: Debusine's worker fails where it is given none.
    pub(crate) fn without_a_system(&mut self, stored: &Stored) {
        self.execute("noop", "noop", &json!({}));
        self.execute("noop, failing", "noop", &json!({"result": false}));
        let data = json!({"input": {"source_artifact": stored.sources[0]}});
        self.execute("lintian, no system", "lintian", &data);
        let data = json!({"input": {"artifact": stored.build_log}});
        self.execute("blhc, no system", "blhc", &data);
    }

    /// Ends the worker, and gives what came of the requests.
    pub(crate) fn end(self) -> Vec<(&'static str, Account)> {
        // Told to end, the stock worker sometimes does not.
        let place = self.worker.end(Signal::KILL);
        // Seen where the test fails.
        eprintln!("{}", place.log());
        self.accounts
    }
}
