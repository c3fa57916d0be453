//! Plugin hosts, the child processes in which plugin code runs, and attempts.
//!
//! It refuses to know how matching is done and where requests wait.

#![forbid(unsafe_code)]

mod members;
mod output;
mod process;
mod spawner;
mod surroundings;
pub mod tree;

mod protocol;

mod confine;
mod work_directory;

mod plugin_host;
mod serve;

mod death;
mod described;
mod evidence;
mod failure;
mod host_log;
mod host_process;
mod hosts;
mod later;
mod place;
mod question;
mod wire;
mod witness;

mod live_catalog;
mod watch;
mod ways;

mod analysis;
mod attempt;
mod attempt_log;
mod ending;
mod first_loading;
mod here;
mod matcher;
mod offer;
mod own_code;

mod architecture;
pub mod system;

mod local_store;
mod staging;

mod beneath;
mod gate;

mod local_server;

pub use analysis::WorkerAnalysis;
pub use architecture::host_architecture;
pub use attempt::{AttemptOptions, AttemptReport};
pub use attempt_log::AttemptLog;
pub use death::Death;
pub use described::Described;
pub use failure::Failure;
pub use first_loading::first_loading;
pub use here::{execute_here, judge_here};
pub use host_process::HostProgram;
pub use hosts::Hosts;
pub use later::LONGEST;
pub use live_catalog::{Change, LiveCatalog};
pub use local_server::LocalServer;
pub use local_store::StoredArtifact;
pub use matcher::{Known, Matcher, Unmatchable};
pub use offer::Offer;
pub use process::{Process, reap};
#[doc(hidden)]
pub use protocol::check::check_frames;
pub use serve::{ServeOptions, serve};
pub use surroundings::Surroundings;
pub use witness::{Glimpse, Witness};
