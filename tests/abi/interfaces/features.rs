//! The noop task in the terms of other features of serde and of `serde_json`: it compiles with no others.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use taskbay_plugin_api::{Context, Metadata, Task, TaskError, export_task, log};

/// What a noop work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Noop {
    /// Whether the task shall succeed.
    #[serde(default = "yes")]
    result: bool,
    /// A number, kept as it was written.
    #[serde(default = "one")]
    number: serde_json::Number,
}

fn yes() -> bool {
    true
}

fn one() -> serde_json::Number {
    1.into()
}

impl Task for Noop {
    const NAME: &'static str = "noop";
    const VERSION: u32 = 1;

    fn analyze_worker(known: &Metadata) -> Result<Metadata, TaskError> {
        let mut found = Metadata::default();
        found.insert("noop:count", known.iter().count());
        Ok(found)
    }

    fn execute(&self, _: &Context) -> Result<bool, TaskError> {
        // `as_str` is of `arbitrary_precision`, and reading an `Rc` of serde's `rc`.
        let digits: Rc<str> = serde_json::from_str(&format!("\"{}\"", self.number.as_str()))?;
        log::info!("the number: {digits}");
        Ok(self.result)
    }
}

export_task!(Noop);
