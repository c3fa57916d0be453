//! Our worker and a stock Debusine server, side by side with Debusine's own worker.
//!
//! Server and workers stand in a Debian system of their own, made once; where there can be none, each test says so and is
//! skipped. `TASKBAY_TEST_FULL=1` adds what takes minutes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    dead_code,
    unused_imports,
    reason = "a test that cannot go on fails, and says what a worker said; of the farm only a part is used here"
)]

#[path = "../it/faketime.rs"]
mod faketime;
#[path = "../it/farm.rs"]
mod farm;
#[path = "../it/unruly.rs"]
mod unruly;

/// What came of a request, as lines that can be compared.
mod account;
/// The server's interface for people.
mod api;
/// A worker that is told to end.
mod ending;
/// A program that makes what is uploaded.
mod fake;
/// What goes wrong in mid-run.
mod faults;
/// The keys of task data that are a later server's.
mod keys;
/// What became of each request, in order.
mod ledger;
/// What a worker says of itself, again and again.
mod metadata;
/// A server of a later version.
mod newer;
/// What is installed on a server beside Debusine.
mod packages;
/// A connection that is cut.
mod proxy;
/// What the server has recorded, as its database tells.
mod records;
/// The requests that both workers execute.
mod requests;
/// The same requests with both workers.
mod same;
/// The same on a server of a later version.
mod same_newer;
/// The server's scheduler asks our plugins.
mod scheduling;
/// A server, and its parts that a test stops and kills.
mod server;
/// A server with our app in it, whose tasks are plugins.
mod site;
/// Several slots, and offers that come more than once.
mod slots;
/// What requests work on.
mod stored;
/// The system in which Debusine is installed.
mod system;
/// Debusine's worker, and ours.
mod worker;
