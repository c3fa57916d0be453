//! A Debusine server as the engine: a worker here takes its requests, in the place of Debusine's own worker.
//!
//! [`DebusineEngine::open`] registers and connects; what it gives is a [`WorkerEngine`](taskbay_engine::WorkerEngine). It speaks what Debusine
//! 0.11.3 and 0.16.2 speak, and finds out which; another server is refused.
//!
//! - A server gives each of its workers one request at a time, so a worker with several slots is several workers of the
//!   server, called *seats* here, each with a token and a connection of its own.
//! - A server tells of work a moment before it is there, and never again: it is asked again after 15, 50 and 200 ms, 1 and
//!   5 s, and then every minute.
//! - A server has no leases. A request whose worker is gone stays with it until that worker asks for work again: then it is given out
//!   again, under another number. A result that cannot be told is therefore kept on disk, and told before that. One that the server
//!   refuses while all else goes well is kept apart, and told from time to time.
//! - A later server says that it has a result before it takes it in. Asked for work in between, it would have the request done
//!   anew, so it is asked once it says that the request is over, or offers another.
//! - A server knows three kinds of errors. That a worker does not suit, and that there is no such task, is `setup-failed`;
//!   `configure-failed` is as here; all else is `execute-failed`, also that the process died or took too long. What the end of the worker
//!   aborts is not completed at all.
//! - A server tells a worker nothing of its static metadata, which counts over what the worker reports when requests are
//!   given out. So a worker executes what it is given although by what it reports it does not suit, as Debusine's own does.
//! - A server gives the next request to whoever is connected, as soon as it has a result. A worker that ends leaves it seat by
//!   seat: what is idle at once, what executes before it tells its result. What it was given before that waits for it.
//! - Outside of an attempt nobody can stop a request: a server does not tell its workers.
//!
//! This crate refuses to know how requests are executed, how a server decides who gets them, and what tasks mean.

#![forbid(unsafe_code)]

mod engine;

mod server_url;
mod workplace;

mod config_ini;
mod token;

mod registration;
mod standing;

mod seat;

mod attendant;
mod connection;
mod notice;
mod offer;

mod asking;
mod polling;
mod resolved;
mod unsaid;
mod work_request;

mod attempt;

mod artifact_data;
mod artifact_info;
mod download;
mod lookup;
mod server;
mod upload;

mod completion;
mod debug_logs;
mod delivery;
mod kept;
mod live_log;
mod record;
mod told;
mod untold;

mod explained;

mod answer;
mod bell;
mod client;
mod dialect;
mod fault;
mod hashed;
mod patience;
mod shared;
mod tls;

#[cfg(test)]
mod stand_in;

pub use engine::DebusineEngine;
pub use explained::{TOKEN_VARIABLE, explain};
pub use server_url::ServerUrl;
pub use workplace::{Finding, Workplace, is_debusine};
