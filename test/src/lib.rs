//! What the tests of a task need: a server in memory, an execution against it, packages to execute on, and the tools.
//!
//! It refuses to know how a plugin is loaded: a task's own tests call its trait, in process.
//!
//! # Panics
//!
//! Whatever goes wrong here is a failed test, so it panics.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on fails"
)]

pub mod packages;

mod tools;

mod fake_server;

mod execution;

pub use execution::{Execution, artifact, empty_file, execute};
pub use fake_server::{FIRST_UPLOAD, FakeServer};
pub use tools::has_tools;
