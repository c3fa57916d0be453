//! What a scheduler does with each request: look the task up, configure it, and judge a worker. Held against parsing the
//! configured data into a JSON value.
//!
//! Debusine does the same in Python. Its figures are quoted beside ours, from another machine: they were not measured in
//! this run, so no ratio is made of them.

use crate::{
    fixture::Fixture,
    goal::Goal,
    measure::{each, in_turn},
    report::Row,
    verdict,
};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::sync::Arc;
use taskbay_loader::Registry;

const ROUNDS: usize = 200;
const TIMES: u32 = 1000;

/// Task data of lintian.
pub(crate) const LINTIAN: &str = r#"{"input": {"source_artifact": 1}}"#;

pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Row>> {
    let registry = fixture.registry()?;
    Ok(vec![
        judge(&registry, "NoOp", "{}", "5.3 us")?,
        judge(&registry, "Lintian", LINTIAN, "21 us")?,
    ])
}

fn judge(registry: &Registry, name: &str, data: &str, quoted: &str) -> Result<Row> {
    let plugin = registry.get(name)?;
    let worker = plugin.worker(Arc::new(verdict::worker(4096)?));
    let filled = plugin.configure(data)?.data().to_owned();
    let judge = || -> Result<bool> {
        let task = registry.get(name)?.configure(data)?;
        Ok(task.verdict(&worker).can_run())
    };
    ensure!(judge()?, "the worker does not suit");
    let pair = in_turn(
        ROUNDS,
        || Ok(each(TIMES, judge)),
        || Ok(each(TIMES, || serde_json::from_str::<Value>(&filled))),
    )?;
    Ok(Row::new(
        format!(
            "look up, configure and judge: {name} (Debusine 0.11.3 takes {quoted} for it, quoted from another machine \
             and not measured here)"
        ),
        "serde_json::Value of the filled data",
        pair,
        Goal::None,
    ))
}
