//! What a scheduler does with each request: look the task up, configure it, and judge a worker. Held against Debusine,
//! which does the same in Python, where it is at hand, and else against parsing the configured data into a JSON value.

use crate::{
    debusine::{Debusine, PYTHON_VARIABLE},
    fixture::Fixture,
    goal::Goal,
    measure::{each, in_turn},
    report::Row,
    verdict,
};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::{
    io::{self, Write},
    sync::Arc,
};
use taskbay_loader::Registry;

const ROUNDS: usize = 200;
const TIMES: u32 = 1000;

/// Task data of lintian.
pub(crate) const LINTIAN: &str = r#"{"input": {"source_artifact": 1}}"#;

pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Row>> {
    let registry = fixture.registry()?;
    let mut debusine = Debusine::start();
    if debusine.is_none() {
        writeln!(
            io::stderr(),
            "skipped: no Debusine at hand to measure against, which takes 5.3 us for noop and 21 us for lintian where its \
             figures come from; name a Python that can import it in {PYTHON_VARIABLE}"
        )?;
    }
    [("noop", "{}"), ("lintian", LINTIAN)]
        .map(|(name, data)| judge(&registry, name, data, debusine.as_mut()))
        .into_iter()
        .collect()
}

fn judge(
    registry: &Registry,
    name: &str,
    data: &str,
    debusine: Option<&mut Debusine>,
) -> Result<Row> {
    let plugin = registry.get(name)?;
    let worker = plugin.worker(Arc::new(verdict::worker(4096)?));
    let filled = plugin.configure(data)?.data().to_owned();
    let judge = || -> Result<bool> {
        let task = registry.get(name)?.configure(data)?;
        Ok(task.verdict(&worker).can_run())
    };
    ensure!(judge()?, "the worker does not suit");
    let ours = || Ok(each(TIMES, judge));
    let what = format!("look up, configure and judge: {name}");
    Ok(match debusine {
        Some(debusine) => Row::new(
            what,
            "Debusine's task layer",
            in_turn(ROUNDS, ours, || debusine.judge(name, data))?,
            Goal::Ratio(0.2),
        ),
        None => Row::new(
            what,
            "serde_json::Value of the filled data",
            in_turn(ROUNDS, ours, || {
                Ok(each(TIMES, || serde_json::from_str::<Value>(&filled)))
            })?,
            Goal::None,
        ),
    })
}
