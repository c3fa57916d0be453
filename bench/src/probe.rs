//! Scanning a thousand good plugins: loaded in this process as they are, or tried in a plugin host first.

use crate::{
    child::{Work, sample},
    fixture::{Fixture, MANY},
    goal::Goal,
    measure::{in_turn, once},
    report::Row,
};
use anyhow::{Context as _, Result};
use std::time::Duration;
use taskbay_core::Abort;
use taskbay_loader::{Catalog, SearchPath, TrustPolicy};
use taskbay_worker::{HostProgram, Hosts};

const ROUNDS: usize = 5;
/// What a probe of one plugin may take, in nanoseconds.
const GOAL: f64 = 1e6;

pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Row>> {
    let directory = fixture.many()?;
    // Where plugin hosts have their copies, so that all find the same.
    let store = taskbay_loader::cache_directory().join("plugins");
    let count = f64::from(u16::try_from(MANY)?);
    let each = |time: f64| time / count;
    let open = || Ok(each(only(sample(Work::Open, directory, &store, MANY))?));
    let probed = in_turn(ROUNDS, || probe(fixture, directory).map(each), open)?;
    let scanned = in_turn(
        ROUNDS,
        || Ok(each(only(sample(Work::Scan, directory, &store, MANY))?)),
        open,
    )?;
    Ok(vec![
        Row::new(
            "scan of 1,000 plugins, each tried in a plugin host: of each",
            "dlopen of the copy",
            probed,
            Goal::Nanoseconds(GOAL),
        ),
        Row::new(
            "scan of 1,000 plugins, loaded without a trial: of each",
            "dlopen of the copy",
            scanned,
            Goal::None,
        ),
    ])
}

/// What `list --load` does, but for the command around it.
fn probe(fixture: &Fixture, directory: &std::path::Path) -> Result<f64> {
    let program = HostProgram {
        program: fixture.program(),
        arguments: vec!["plugin-host".into()],
        has_only_hosts: true,
        surroundings: taskbay_worker::Surroundings::default(),
    };
    once(|| {
        let mut hosts = Hosts::new(program, Duration::from_mins(1), Abort::new());
        let path = SearchPath::only([directory.to_owned()]);
        for file in Catalog::read(&path, TrustPolicy::OwnerOnly).usable() {
            hosts.describe(file)?;
        }
        Ok(())
    })
}

fn only(times: Result<Vec<f64>>) -> Result<f64> {
    times?.first().copied().context("a child printed no time")
}
