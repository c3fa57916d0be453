//! Configuring: from task data as JSON text to a configured task and its data with the defaults filled in, against
//! parsing that filled text into a JSON value.

use crate::{
    fixture::Fixture,
    goal::Goal,
    measure::{each, in_turn},
    report::Row,
    task::Measured,
    verdict::DATA,
};
use anyhow::{Result, bail, ensure};
use serde_json::Value;
use taskbay_core::Task as _;
use taskbay_loader::{ConfigureError, Plugin, Registry};

const ROUNDS: usize = 200;
const TIMES: u32 = 1000;

/// Data in which a field is missing, two are of another type, and one is unknown.
const INVALID: &str = r#"{"input": 42, "memory": "much", "network": 1, "colour": "red"}"#;

pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Row>> {
    let registry = fixture.registry()?;
    let noop = registry.get("noop")?;
    let measured = registry.get(Measured::NAME)?;
    Ok(vec![
        valid("noop", noop, "{}")?,
        valid("ten fields", measured, DATA)?,
        invalid(
            "noop, 2 faults",
            noop,
            r#"{"result": 1, "colour": "red"}"#,
            2,
        )?,
        invalid("ten fields, 4 faults", measured, INVALID, 4)?,
        lintian(&registry)?,
    ])
}

fn lintian(registry: &Registry) -> Result<Row> {
    let data = crate::scheduling::LINTIAN;
    valid("lintian", registry.get("lintian")?, data)
}

fn valid(what: &str, plugin: &Plugin, data: &str) -> Result<Row> {
    let filled = plugin.configure(data)?.data().to_owned();
    let pair = in_turn(
        ROUNDS,
        || {
            Ok(each(TIMES, || {
                plugin.configure(data).map(|task| task.data().len())
            }))
        },
        || Ok(each(TIMES, || serde_json::from_str::<Value>(&filled))),
    )?;
    Ok(Row::new(
        format!("configure, {what}"),
        format!(
            "serde_json::Value of the filled data, {} bytes",
            filled.len()
        ),
        pair,
        Goal::Ratio(4.0),
    ))
}

fn invalid(what: &str, plugin: &Plugin, data: &str, faults: usize) -> Result<Row> {
    let Err(ConfigureError::Invalid(found)) = plugin.configure(data) else {
        bail!("{data} is taken for valid");
    };
    ensure!(found.len() == faults, "not {faults} faults: {found:?}");
    let pair = in_turn(
        ROUNDS,
        || Ok(each(TIMES, || plugin.configure(data).is_err())),
        || Ok(each(TIMES, || serde_json::from_str::<Value>(data))),
    )?;
    Ok(Row::new(
        format!("refuse invalid data, {what}"),
        format!("serde_json::Value of the data, {} bytes", data.len()),
        pair,
        Goal::Ratio(8.0),
    ))
}
