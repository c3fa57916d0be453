//! The noop task: ends as told; the tests' own task.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taskbay_plugin_api::{Backend, Confinement, Context, Lookup, Task, TaskError, export_task};

/// What a noop work request may say.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = Noop::default())]
struct Noop {
    /// How the task shall end.
    #[serde(default)]
    result: Ending,
    /// Kept for the server, as all that follows; the task itself ignores it.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_configuration: Option<Lookup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<Lookup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<Backend>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_architecture: Option<String>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Ending {
    Success,
    Failure,
    Error,
    /// Whether it shall succeed.
    #[serde(untagged)]
    Is(bool),
}

impl Default for Ending {
    fn default() -> Self {
        Self::Is(true)
    }
}

impl Task for Noop {
    const NAME: &'static str = "noop";
    const VERSION: u32 = 1;

    fn confinement(&self) -> Confinement {
        Confinement::Strict
    }

    fn execute(&self, _: &Context) -> Result<bool, TaskError> {
        match self.result {
            Ending::Success | Ending::Is(true) => Ok(true),
            Ending::Failure | Ending::Is(false) => Ok(false),
            Ending::Error => Err(TaskError::new("an error, as it was told")),
        }
    }
}

export_task!(Noop);

#[cfg(test)]
mod tests;
