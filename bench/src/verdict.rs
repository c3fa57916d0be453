//! Verdicts: whether a worker suits, asked of a plugin, against the same code called directly.
//!
//! The direct call is one through a trait object to the task compiled into this program, after the same conditions, and
//! it makes the same reasons. So the difference is what the way through the plugin costs.

use crate::{
    fixture::Fixture,
    goal::Goal,
    measure::{each, in_turn},
    report::Row,
    task::Measured,
};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use std::sync::Arc;
use taskbay_core::{
    Conditions, Metadata, Reason, ReasonCode, Refusal, Requirement, Task, TaskName, Verdict,
};
use taskbay_loader::{ConfiguredTask, WorkerView};

const ROUNDS: usize = 300;
const TIMES: u32 = 2000;

/// Task data of the measured task.
pub(crate) const DATA: &str = r#"{"input": 42, "suite": "trixie"}"#;

/// The measured task's own code behind a trait object.
trait Judge {
    fn judge(&self, worker: &Metadata) -> Result<(), Refusal>;
}

impl<T: Task> Judge for T {
    fn judge(&self, worker: &Metadata) -> Result<(), Refusal> {
        self.can_run_on(worker)
    }
}

pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Row>> {
    let registry = fixture.registry()?;
    let plugin = registry.get(Measured::NAME)?;
    let task = plugin.configure(DATA)?;
    let direct: Box<dyn Judge> = Box::new(serde_json::from_str::<Measured>(DATA)?);
    let conditions = conditions()?;
    let mut rows = Vec::new();
    for (what, memory, reasons) in [("yes", 4096, 0), ("no for two reasons", 1, 2)] {
        let metadata = Arc::new(worker(memory)?);
        let view = plugin.worker(Arc::clone(&metadata));
        let asked = || task.verdict(&view);
        let called = || call(&conditions, &*direct, &metadata);
        ensure!(
            asked() == called(),
            "the plugin and the direct call disagree"
        );
        ensure!(
            asked().reasons.len() == reasons,
            "the worker is judged otherwise"
        );
        rows.push(Row::new(
            format!("verdict through the plugin, metadata of 4 kB: {what}"),
            "the same called directly",
            compare(&task, &view, called)?,
            Goal::MoreThanReference(60.0),
        ));
    }
    rows.extend(native(&conditions)?);
    Ok(rows)
}

fn compare(
    task: &ConfiguredTask<'_>,
    view: &WorkerView,
    called: impl Fn() -> Verdict,
) -> Result<crate::measure::Pair> {
    in_turn(
        ROUNDS,
        || Ok(each(TIMES, || task.verdict(view))),
        || Ok(each(TIMES, &called)),
    )
}

/// The four requirements alone, and with them version and worker type, which every verdict is about. Held against
/// nothing but looking the four keys up in the JSON object.
fn native(conditions: &Conditions) -> Result<[Row; 2]> {
    let worker = worker(4096)?;
    let json = serde_json::to_value(&worker)?;
    let requirements = conditions.requirements();
    ensure!(requirements.len() == 4, "there are not four requirements");
    ensure!(
        conditions.verdict(&worker).can_run(),
        "the conditions do not hold"
    );
    let look_up = || {
        Ok(each(TIMES, || {
            let keys = requirements.iter().map(|each| each.key().as_str());
            keys.filter(|key| json.get(key).is_some()).count()
        }))
    };
    let hold = || requirements.iter().all(|each| each.holds(&worker));
    let alone = in_turn(ROUNDS, || Ok(each(TIMES, hold)), look_up)?;
    let verdict = || conditions.verdict(&worker);
    let all = in_turn(ROUNDS, || Ok(each(TIMES, verdict)), look_up)?;
    let against = "the four keys looked up in a JSON object";
    Ok([
        Row::new(
            "four native requirements",
            against,
            alone,
            Goal::Nanoseconds(40.0),
        ),
        Row::new(
            "verdict of these, the task's version and the worker type",
            against,
            all,
            Goal::None,
        ),
    ])
}

/// What the host does before and after the task's own code.
fn call(conditions: &Conditions, task: &dyn Judge, worker: &Metadata) -> Verdict {
    let mut verdict = conditions.verdict(worker);
    if verdict.can_run()
        && let Err(refusal) = task.judge(worker)
    {
        let messages = refusal.into_messages().into_iter();
        verdict.reasons = messages
            .map(|message| Reason::new(ReasonCode::Refused, message))
            .collect();
    }
    verdict
}

fn conditions() -> Result<Conditions> {
    let name = TaskName::fold(Measured::NAME)?;
    let declared: Vec<Requirement> = serde_json::from_str::<Measured>(DATA)?.requirements();
    Ok(Conditions::new(
        &name,
        Measured::VERSION,
        &Value::Null,
        declared,
    ))
}

/// A worker's metadata, 4 kB as text, that fulfils the conditions.
pub(crate) fn worker(memory: u64) -> Result<Metadata> {
    let name = TaskName::fold(Measured::NAME)?;
    let mut worker = json!({
        name.prefix("version"): Measured::VERSION,
        "noop:version": 1,
        "lintian:version": 1,
        "lintian:available": true,
        "bench:available": true,
        "system:worker_type": "external",
        "system:architectures": ["amd64", "i386"],
        "system:cpu_count": 16,
        "system:distribution": "trixie",
        "system:memory": memory,
        "system:disk": memory * 4,
    });
    let entries = worker.as_object_mut().context("this is an object")?;
    for number in 0.. {
        if serde_json::to_string(entries)?.len() >= 4096 {
            break;
        }
        entries.insert(
            format!("tool-{number:02}:available"),
            (number % 3 == 0).into(),
        );
        entries.insert(
            format!("tool-{number:02}:version"),
            format!("1.{number}-2").into(),
        );
    }
    Ok(Metadata::parse(&worker.to_string())?)
}
