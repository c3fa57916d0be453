//! A task that is configured in process, as a host does it.

use crate::{Execution, WorkerMetadata, execute, with_keys};
use serde_json::{Value, json};
use std::ops::Deref;
use taskbay_core::{Conditions, Reason, ReasonCode, Verdict};
use taskbay_loader::Schema;
use taskbay_plugin_api::{Artifact, Metadata, Task, TaskConfigError, TaskName, host::configured};

/// A task with valid data; it dereferences to the task.
#[derive(Debug)]
pub struct Configured<T> {
    task: T,
}

/// Configures a task in this process: the schema first, then the type, then the task's own check.
///
/// # Errors
///
/// Every fault that a host would report.
pub fn configure<T: Task>(data: &Value) -> Result<Configured<T>, Vec<TaskConfigError>> {
    if let Some(schema) = T::schema() {
        let faults = Schema::compile(&schema).unwrap().faults(data);
        if !faults.is_empty() {
            return Err(faults);
        }
    }
    let task = configured(&data.to_string())?;
    Ok(Configured { task })
}

/// Every fault of the task data that a host would report, as text; none where it is valid.
pub fn faults<T: Task>(data: &Value) -> Vec<String> {
    let faults = configure::<T>(data).err().unwrap_or_default();
    faults.iter().map(ToString::to_string).collect()
}

/// Fails the test where a key that the task does not know is taken beside those of valid data, or not named. A type with
/// `#[serde(flatten)]` cannot refuse one itself: its schema has to.
#[track_caller]
pub fn assert_unknown_keys_are_refused<T: Task>(data: &Value) {
    configure::<T>(data).unwrap();
    let faults = faults::<T>(&with_keys(data.clone(), &json!({"taskbay-unknown": 1})));
    let [fault] = &faults[..] else {
        panic!("not one fault: {faults:?}");
    };
    assert!(fault.contains("taskbay-unknown"), "{fault}");
}

impl<T: Task> Configured<T> {
    /// The task data with all defaults filled in.
    pub fn data(&self) -> Value {
        serde_json::to_value(&self.task).unwrap()
    }

    /// Whether a worker suits, with the reasons if not: by the implied conditions, the declared requirements, and the
    /// task's own code where it has some.
    pub fn verdict(&self, worker: &Metadata) -> Verdict {
        let name = TaskName::fold(T::NAME).unwrap();
        let requirements = self.task.requirements();
        let conditions = Conditions::new(&name, T::VERSION, &self.data(), requirements);
        let mut verdict = conditions.verdict(worker);
        if verdict.can_run()
            && T::HAS_CAN_RUN_ON
            && let Err(refusal) = self.task.can_run_on(worker)
        {
            let refused = |message| Reason::new(ReasonCode::Refused, message);
            verdict.reasons = refusal.into_messages().into_iter().map(refused).collect();
        }
        verdict
    }

    /// The keys of the worker's metadata for which it does not suit; none where it suits.
    pub fn lacking(&self, worker: WorkerMetadata) -> Vec<String> {
        let reasons = self.verdict(&worker.build()).reasons.into_iter();
        reasons
            .map(|reason| match reason.key {
                Some(key) => key,
                None => panic!("not for a key: {reason:?}"),
            })
            .collect()
    }

    /// Executes the task where these artifacts are 1, 2, …
    pub fn execute(&self, artifacts: Vec<Artifact>) -> Execution {
        execute(&self.task, artifacts)
    }
}

impl<T> Deref for Configured<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.task
    }
}
