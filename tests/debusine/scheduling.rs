//! The scheduler of a stock Debusine server asks our plugins.

/// Plugins that are bad.
mod bad_plugin;
/// A worker that is gone for good.
mod lost_worker;
/// Our worker, for the tests of plugins.
mod ours;
/// What is installed, by itself.
mod package;
/// A plugin that is good.
mod plugin_task;
/// A plugin that asks the server for what a query finds.
mod query;

use serde_json::{Value, json};

/// What a worker says of itself that has these tasks.
fn offering(tasks: &[&str]) -> Value {
    let mut said = json!({"system:worker_type": "external", "system:architectures": ["amd64"]});
    for task in tasks {
        said[format!("{task}:version")] = 1.into();
    }
    said
}
