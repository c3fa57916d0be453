//! The sleep task: takes as long as told, for trying out queues, limits and aborts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    thread,
    time::{Duration, Instant},
};
use taskbay_plugin_api::{Confinement, Context, Task, TaskError, export_task, log};

/// The longest time, in seconds: a year.
const LONGEST: f64 = 365.0 * 24.0 * 3600.0;
/// How often it looks whether it is aborted.
const LOOK: Duration = Duration::from_millis(20);

/// What a sleep work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = Sleep { seconds: 0.1, result: true })]
struct Sleep {
    /// How long the task takes, in seconds.
    #[schemars(range(min = 0.0, max = LONGEST))]
    seconds: f64,
    /// Whether the task shall succeed.
    #[serde(default = "yes")]
    result: bool,
}

fn yes() -> bool {
    true
}

impl Task for Sleep {
    const NAME: &'static str = "sleep";
    const VERSION: u32 = 1;

    fn confinement(&self) -> Confinement {
        Confinement::Strict
    }

    fn label(&self) -> Option<String> {
        Some(format!("sleep for {} s", self.seconds))
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        let until = Instant::now() + Duration::from_secs_f64(self.seconds);
        log::info!("sleeping for {} s", self.seconds);
        while !context.abort().is_set() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(self.result);
            }
            thread::sleep(left.min(LOOK));
        }
        log::info!("woken up early");
        Ok(false)
    }
}

export_task!(Sleep);

#[cfg(test)]
mod tests;
