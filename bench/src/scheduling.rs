//! What a scheduler does with each request: look the task up, configure it, and judge a worker.
//!
//! Debusine does the same in Python. Its figures are quoted, from another machine: they were not measured in this run.

use crate::{
    fixture::Fixture,
    goal::Goal,
    measure::{Pair, each, in_turn},
    report::Row,
    verdict,
};
use anyhow::{Result, ensure};
use std::sync::Arc;
use taskbay_loader::Registry;

const ROUNDS: usize = 200;
const TIMES: u32 = 1000;

/// Task data of lintian.
pub(crate) const LINTIAN: &str = r#"{"input": {"source_artifact": 1}}"#;

pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Row>> {
    let registry = fixture.registry()?;
    let mut rows = Vec::new();
    for (name, data, quoted) in [("NoOp", "{}", 5.3), ("Lintian", LINTIAN, 21.0)] {
        rows.push(Row::new(
            format!("look up, configure and judge: {name}"),
            format!("the same in Debusine 0.11.3: {quoted} us, quoted and not measured here"),
            judge(&registry, name, data, quoted * 1e3)?,
            Goal::None,
        ));
    }
    Ok(rows)
}

fn judge(registry: &Registry, name: &str, data: &str, quoted: f64) -> Result<Pair> {
    let worker = registry.get(name)?.worker(Arc::new(verdict::worker(4096)?));
    let judge = || -> Result<bool> {
        let task = registry.get(name)?.configure(data)?;
        Ok(task.verdict(&worker).can_run())
    };
    ensure!(judge()?, "the worker does not suit");
    in_turn(ROUNDS, || Ok(each(TIMES, judge)), || Ok(quoted))
}
