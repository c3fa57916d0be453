//! A new task's project: a plugin that builds, with tests, the data of its Debian package, and a page to read first.
//!
//! It refuses to know how a plugin is loaded, and which names other plugins have.

mod interface;

mod names;

mod project;

pub use interface::{INTERFACE_DIRECTORY, Interface, NoInterface};
pub use names::package;
pub use project::{Project, ProjectError};
