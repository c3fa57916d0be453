//! The task that the benchmarks measure. The benchmark program compiles the same `task.rs` into itself, so that what
//! the way through a plugin costs can be told from what the task itself costs.

mod task;

use task::Measured;
use taskbay_plugin_api::export_task;

export_task!(Measured);
