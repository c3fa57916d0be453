//! How a worker works.

use std::{sync::Arc, time::Duration};
use taskbay_core::{Abort, Server};
use taskbay_engine::Lease;
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
}

/// Makes the plugin hosts of an attempt, which end with that latch.
pub type MakeHosts = Arc<dyn Fn(Abort) -> Hosts + Send + Sync>;

/// Makes the server of an attempt, where its artifacts come from and go to: the engine's, which knows it by its lease. The
/// latch ends waiting for an engine that is away.
pub type MakeServer = Arc<dyn Fn(Lease, Abort) -> Arc<dyn Server> + Send + Sync>;
