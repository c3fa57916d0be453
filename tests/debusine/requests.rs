//! The requests that both workers execute, and what they come to.

use crate::{
    account::Account,
    api::LONG,
    server::Server,
    stored::Stored,
    system::Release,
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

    /// Whether the server is one of 0.16.2 or later.
    fn is_later(&self) -> bool {
        self.server.system.release() == Release::Sid
    }

    /// The only artifact of that category that a request made.
    #[track_caller]
    fn made(&self, id: i64, category: &str) -> i64 {
        let made = self.all_made(id, category);
        assert_eq!(made.len(), 1, "{category}\n{}", self.worker.place().log());
        made[0]
    }

    /// All artifacts of that category that it made.
    fn all_made(&self, id: i64, category: &str) -> Vec<i64> {
        let made = self.server.records.made_by(id).into_iter();
        let found = made.filter(|made| made["category"] == category);
        found.map(|made| made["id"].as_i64().unwrap()).collect()
    }

    /// Has a task executed in that system, as the server's version wants to be told.
    #[track_caller]
    fn execute_in(
        &mut self,
        system: i64,
        (name, task): (&'static str, &str),
        mut data: Value,
    ) -> i64 {
        data["environment"] = system.into();
        data["backend"] = "unshare".into();
        match self.server.system.release() {
            Release::Sid => data["build_architecture"] = "amd64".into(),
            Release::Trixie if ["lintian", "blhc"].contains(&task) => {}
            Release::Trixie => data["host_architecture"] = "amd64".into(),
        }
        self.execute(name, task, &data)
    }

    /// Makes a system, and does in it what leads to a package that is tested.
    pub(crate) fn in_a_system(&mut self, stored: &Stored, mirror: &str) {
        let data = json!({
            "bootstrap_options": {"architecture": "amd64", "variant": "buildd"},
            "bootstrap_repositories": [{"mirror": mirror, "suite": "trixie", "components": ["main"]}],
        });
        let id = self.execute("mmdebstrap", "mmdebstrap", &data);
        let system = self.made(id, "debian:system-tarball");
        let [source, newer] = stored.sources;
        let components = if self.is_later() {
            json!(["any", "all"])
        } else {
            json!(["all"])
        };
        let data = json!({"input": {"source_artifact": source}, "build_components": components});
        let id = self.execute_in(system, ("sbuild", "sbuild"), data);
        let built = self.all_made(id, "debian:binary-package");
        let log = self.made(id, "debian:package-build-log");
        let both = json!({"source_artifact": source, "binary_artifacts": built});
        let packages = if self.is_later() {
            stored.packages.map(|package| [package])
        } else {
            // There only uploads can be compared.
            [[self.made(id, "debian:upload")]; 2]
        };
        for (name, task, data) in [
            ("lintian", "lintian", json!({"input": both})),
            ("blhc", "blhc", json!({"input": {"artifact": log}})),
            (
                "debdiff",
                "debdiff",
                json!({"input": {"source_artifacts": [source, newer]}}),
            ),
            (
                "debdiff of packages",
                "debdiff",
                json!({"input": {"binary_artifacts": packages}}),
            ),
            ("autopkgtest", "autopkgtest", json!({"input": both})),
        ] {
            self.execute_in(system, (name, task), data);
        }
        // Of this one an older worker gives nothing.
        if self.is_later() {
            let data = json!({"input": {"binary_artifacts": built}, "base_tgz": system});
            self.execute_in(system, ("piuparts", "piuparts"), data);
        }
    }

    /// What needs no system.
    pub(crate) fn without_a_system(&mut self, stored: &Stored) {
        let is_later = self.is_later();
        let failing = if is_later {
            json!("failure")
        } else {
            json!(false)
        };
        self.execute("noop", "noop", &json!({}));
        self.execute("noop, failing", "noop", &json!({"result": failing}));
        if is_later {
            self.execute("noop, broken", "noop", &json!({"result": "error"}));
        }
        // Debusine's worker fails where it is given none.
        let data = json!({"input": {"source_artifact": stored.sources[0]}});
        self.execute("lintian, no system", "lintian", &data);
        // A later server has it be given one.
        if !is_later {
            let data = json!({"input": {"artifact": stored.build_log}});
            self.execute("blhc, no system", "blhc", &data);
        }
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
