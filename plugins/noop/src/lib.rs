//! The noop task: succeeds or fails as told; the tests' own task.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taskbay_plugin_api::{Confinement, Context, Lookup, Task, TaskError, export_task};

/// What a noop work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = Noop { result: true, task_configuration: None })]
struct Noop {
    /// Whether the task shall succeed.
    #[serde(default = "yes")]
    result: bool,
    /// Kept for the server; the task itself ignores it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task_configuration: Option<Lookup>,
}

fn yes() -> bool {
    true
}

impl Task for Noop {
    const NAME: &'static str = "noop";
    const VERSION: u32 = 1;

    fn confinement(&self) -> Confinement {
        Confinement::Strict
    }

    fn execute(&self, _: &Context) -> Result<bool, TaskError> {
        Ok(self.result)
    }
}

export_task!(Noop);

#[cfg(test)]
mod tests;
