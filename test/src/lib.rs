//! What the tests of a task need: a server in memory.
//!
//! It refuses to know how a plugin is loaded: a task's own tests call its trait, in process.
//!
//! # Panics
//!
//! Whatever goes wrong here is a failed test, so it panics.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on fails"
)]

mod fake_server;

pub use fake_server::{FIRST_UPLOAD, FakeServer};
