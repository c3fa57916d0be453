//! What Debian's tasks share with one another and with workers: packages as files, and environments that commands run in.
//!
//! It refuses to know what any one task does, where artifacts are kept, and how plugins are loaded. A plugin links all of
//! it, so it has few dependencies.

#![forbid(unsafe_code)]

mod bounded;
mod regular_file;

mod paragraph;
mod table;

mod control_file;

mod package_files;

mod architecture;
mod armour;
mod binary_package;
mod build_log;
mod command_files;
mod exit_code;
mod extra_repository;
mod package_name;
mod repository_words;
mod room;

mod environment_lookup;
mod environment_tarball;
mod unshare;

mod environment;
mod open_tmp;

mod executor;

mod bootstrap_options;
mod bootstrap_repository;
mod bootstrapped;
mod keyring;

mod bootstrap;

mod in_environment;
mod in_optional_environment;

mod input;
mod source_package;
mod upload;
mod words;

mod unpacked_package;

mod signing_template;

pub use binary_package::binary_package;
pub use bootstrap::{Bootstrap, PreparedBootstrap};
pub use bootstrap_options::{BootstrapOptions, Variant};
pub use bootstrap_repository::BootstrapRepository;
pub use bounded::{each_line, read_bounded};
pub use command_files::{option_with_path, write_file};
pub use control_file::{ControlFile, ControlFileError, Member};
pub use environment::Environment;
pub use environment_lookup::{EnvironmentLookup, EnvironmentLookupError};
pub use environment_tarball::EnvironmentTarball;
pub use executor::Executor;
pub use exit_code::{Meaning, is_success};
pub use extra_repository::ExtraRepository;
pub use in_environment::InEnvironment;
pub use in_optional_environment::InOptionalEnvironment;
pub use input::{BINARIES, Input, SOURCES, files_of, some};
pub use open_tmp::open_tmp;
pub use package_files::{PackageFilesError, artifact_of_file};
pub use package_name::is_package_name;
pub use paragraph::{Paragraph, ParagraphError};
pub use regular_file::{RegularFileError, open, sha256};
pub use room::{Room, is_installing, run_with_room};
pub use signing_template::{FileToSign, SigningTemplate, ToSign};
pub use source_package::SourcePackage;
pub use unpacked_package::UnpackedPackage;
pub use unshare::{mounting, remove_tree, why_not_unshare};
pub use upload::{changes_name, give_upload};
pub use words::{all_in_words, each_in_words, in_words};
