//! A task that is configured in process, as a host does it.

use crate::{Execution, execute};
use serde_json::Value;
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
