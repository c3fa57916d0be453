//! What runs for long: workers that take requests from an engine, and schedulers that judge who may.
//!
//! It knows both sides of a request, where it waits and how it is executed, and brings them together. It refuses to know
//! how an engine stores, how a plugin is run, and how a command line looks.

#![forbid(unsafe_code)]

pub mod setting;

mod config;

mod stop;

mod supervisor;

mod log_buffer;
mod running;

mod leases;
mod news;

mod store_server;

mod present;

mod fitting;

mod attempt;

mod worker_options;

mod slots;

mod worker;

mod plugins;
mod setbacks;

mod answering;

mod scheduling;

mod expiry;
mod upkeep;

pub use answering::Answering;
pub use config::{
    CONFIG_VARIABLE, Config, ConfigError, DebusineConfig, ENGINE_VARIABLE, Exposed,
    SchedulerConfig, WorkerConfig,
};
pub use expiry::Expiry;
pub use plugins::Plugins;
pub use scheduling::Scheduling;
pub use stop::Stop;
pub use store_server::store_servers;
pub use supervisor::{Supervisor, Watch};
pub use upkeep::tidy;
pub use worker::{OfferHeard, WorkerService};
pub use worker_options::{MakeHosts, MakeServer, WorkerOptions};
