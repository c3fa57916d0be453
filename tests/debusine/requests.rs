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
        self.worker.end(Signal::KILL);
        self.accounts
    }
}
