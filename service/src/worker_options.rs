//! How a worker works.

use std::{sync::Arc, time::Duration};
use taskbay_core::Abort;
use taskbay_worker::Hosts;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// Its name.
    pub name: String,
    /// How many requests it executes at a time.
    pub slots: u32,
    /// How long a lease holds that is not renewed.
    pub lease: Duration,
    /// How long attempts may go on after it was told to end, before they are handed back.
    pub drain: Duration,
    /// How long processes have between TERM and KILL.
    pub grace: Duration,
    /// Whether task data may name files of this machine by their paths: whoever submits requests can read them then.
    pub has_local_files: bool,
}

/// Makes the plugin hosts of an attempt, which end with that latch.
pub type MakeHosts = Arc<dyn Fn(Abort) -> Hosts + Send + Sync>;
