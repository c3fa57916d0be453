//! From a directory of task plugins to a registry of tasks, in this process.
//!
//! ```text
//! directory ─discover→ Candidate ─inspect→ Inspected ─accept→ Admissible ─load→ Plugin ─register→ Registry ─configure→ ConfiguredTask
//!                      (a path)   (bytes read, no code run)   (versions fit)         (by name)             (data valid)
//! ```
//!
//! Each stage is a type that only the one before makes. A file that cannot go on is a [`Rejection`], with reason and
//! remedy, and costs no other file anything. [`Catalog`] stops before any code runs; [`scan`] goes on to the end.
//!
//! This crate knows nothing of requests, engines and processes. It runs plugin code in the process that calls it, where
//! a plugin that crashes or hangs takes the process along: a host that loads files it does not trust that far has a
//! child process call this crate.

mod search_path;

mod discover;
mod trust;

mod identity;
mod inspect;
mod note_reader;

mod admissible;

mod fresh_file;
mod host_context;
mod load;
mod store;

mod configured_task;
mod plugin;
mod schema;
mod worker_view;

mod registry;

mod catalog;
mod rejection;

mod digest;
mod linkage;
mod linker;
mod private_directory;
mod quarantine;
mod run_path;

pub use admissible::Admissible;
pub use catalog::{Catalog, Claim, Entry, Row, State, Status};
pub use configured_task::ConfiguredTask;
pub use digest::{sha256, sha256_of};
pub use discover::{Candidate, Discovery, Finding, discover};
pub use identity::FileIdentity;
pub use inspect::{InspectError, Inspected, inspect, inspect_bytes};
pub use linkage::{Linkage, LinkageError, Resolution};
pub use load::{LoadError, Loader};
pub use plugin::{Analysis, ConfigureError, Plugin};
pub use quarantine::{Evidence, Phase, Quarantine};
pub use registry::{Registry, Taken, UnknownTask};
pub use rejection::Rejection;
pub use run_path::RunPathFault;
pub use schema::{Schema, SchemaError};
pub use search_path::{PLUGIN_PATH_VARIABLE, SearchDirectory, SearchPath, SearchSource};
pub use store::{CACHE_VARIABLE, Store, StoreError, cache_directory};
pub use trust::{TrustError, TrustPolicy};
pub use worker_view::WorkerView;

/// What a scan of the search path gave: the tasks, and everything that was found, usable or not.
#[derive(Debug)]
pub struct Scan {
    /// The tasks.
    pub registry: Registry,
    /// A row for each file, and the findings on directories.
    pub catalog: Catalog,
}

/// Loads every plugin on the search path, in this process.
pub fn scan(path: &SearchPath, policy: TrustPolicy, loader: &Loader) -> Scan {
    let mut catalog = Catalog::read(path, policy);
    let mut registry = Registry::default();
    for index in 0..catalog.entries.len() {
        let State::Usable(admissible) = &catalog.entries[index].state else {
            continue;
        };
        match loader.load(admissible) {
            Ok(plugin) => registry.add(plugin),
            // A later file of the same name takes its place, and its turn is still to come.
            Err(error) => catalog.reject(index, error.into()),
        }
    }
    Scan { registry, catalog }
}
