//! Real chains: from a source package to an upload, each step a request on an SQLite engine that a worker executes, with
//! what the steps before it made as its input.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unused_imports,
    reason = "a test that cannot go on fails; of the farm only a part is used here"
)]

#[path = "../queue/bay.rs"]
mod bay;
#[path = "../it/farm.rs"]
mod farm;
#[path = "../../engine/tests/conformance/server.rs"]
mod server;
#[path = "../queue/small_disk.rs"]
mod small_disk;
#[path = "../it/unruly.rs"]
mod unruly;

/// Workers that cannot do what they are asked: errors that say what to do about it.
mod broken;
/// An engine with a worker, and requests that are made of it.
mod chain;
/// Tools that work on files: no system is made, nothing is fetched.
mod half;
/// The package `hello`, as the mirror of this machine has it.
mod hello;
/// A small package that is built without a system of its own.
mod tiny;
/// From nothing but a mirror to an upload.
mod whole;
