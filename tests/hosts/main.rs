//! Plugin hosts as a library's user sees them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on fails; of the farm only a part is used here"
)]

#[path = "../it/farm.rs"]
mod farm;
#[path = "../it/unruly.rs"]
mod unruly;

use farm::{Farm, built};
use std::{sync::Arc, time::Duration};
use taskbay_core::{Abort, NoServer, OutcomeResult, Server};
use taskbay_loader::{Catalog, SearchPath, TrustPolicy};
use taskbay_worker::{AttemptOptions, HostProgram, Hosts};

/// Each attempt has a host of its own: the one before was ended with its attempt.
#[test]
fn attempts_follow_one_another() {
    let farm = Farm::with(&["noop"]);
    let program = HostProgram {
        // `env` becomes the host, with private copies that are not this user's.
        program: "/usr/bin/env".into(),
        arguments: vec![
            format!("TASKBAY_CACHE_DIR={}", farm.path("cache").display()).into(),
            built().join("taskbay").into(),
            "plugin-host".into(),
        ],
        policy: TrustPolicy::OwnerOnly,
        has_only_hosts: false,
    };
    let catalog = Catalog::read(&SearchPath::only([farm.plugins()]), TrustPolicy::OwnerOnly);
    let file = catalog.get("noop").unwrap();
    let mut hosts = Hosts::new(program, Duration::from_mins(1), Abort::new());
    let server: Arc<dyn Server> = Arc::new(NoServer);
    let options = AttemptOptions {
        timeout: None,
        grace: Duration::from_secs(1),
        keep: false,
    };
    for _ in 0..3 {
        let data = hosts.configure(file, "{}").unwrap().data;
        for _ in 0..2 {
            let report = hosts.execute(file, &data, &server, &options).unwrap();
            assert_eq!(report.outcome.result, OutcomeResult::Success, "{report:?}");
        }
    }
}
