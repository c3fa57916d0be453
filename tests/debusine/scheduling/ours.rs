//! Our worker, where the server's tasks are plugins.

use crate::{
    api::LIMIT,
    farm::Farm,
    site::{Site, until},
};
use std::{
    fs::File,
    process::{Child, Stdio},
};

/// Our worker at the server, which ends with the test.
pub(super) struct Ours(Child);

impl Ours {
    /// With the plugins of that farm, and enabled; what it says is in `log` there.
    pub(super) fn starts(site: &Site, farm: &Farm) -> Self {
        let engine = format!("debusine+{}", site.server.url());
        let mut worker = farm.command(&[
            "worker", "--name", "ours", "--slots", "1", "--engine", &engine,
        ]);
        let log = File::create(farm.path("log")).unwrap();
        let worker = worker.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let worker = Self(worker);
        // More than once: a server that is asked meanwhile writes the token as it was before.
        until(LIMIT, "our worker does not connect", || {
            site.server.enable_workers();
            let connected =
                "select id from db_worker where name like 'ours%' and connected_at is not null";
            site.server.records.rows(connected).pop()
        });
        worker
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
