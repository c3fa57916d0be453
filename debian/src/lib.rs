//! Debian's packages as files: what tasks and workers both have to know of them.
//!
//! It refuses to know what any one task does, where artifacts are kept, and that there are plugins: a plugin links all of
//! it, so it has few dependencies.

#![forbid(unsafe_code)]

mod regular_file;

mod paragraph;
mod table;

mod control_file;

mod package_files;

mod environment_lookup;

pub use control_file::{ControlFile, ControlFileError, Member};
pub use environment_lookup::{EnvironmentLookup, EnvironmentLookupError};
pub use package_files::{PackageFilesError, artifact_of_file};
pub use paragraph::{Paragraph, ParagraphError};
pub use regular_file::{RegularFileError, open, sha256};
