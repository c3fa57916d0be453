//! The arguments of `taskbay check`.

use clap::{Args, value_parser};
use std::{ffi::OsString, path::PathBuf, time::Duration};
use taskbay_service::setting::limit;

/// What to check, and how far.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The plugin files, as in `target/release/libtaskbay_task_noop.so`
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// How far to go: 0 reads the file, 1 loads it, 2 has it take task data and judge workers, 3 executes its example
    /// with an empty HOME, 4 aborts and kills that, and makes task data up. Where 3 or 4 is asked for and nothing could be
    /// executed, the exit status is 1; with none it is 3 that is tried, and a warning is all [default: 3]
    #[arg(long, value_name = "LEVEL", value_parser = value_parser!(u8).range(0..=4))]
    pub(crate) level: Option<u8>,
    /// Show only the tests that failed; with --strict also those that were skipped, and why
    #[arg(long)]
    pub(crate) only_failed: bool,
    /// Exit with 1 when a test is skipped, too: then 0 says that all levels up to the one asked for are proven
    #[arg(long)]
    pub(crate) strict: bool,
    /// Execute with this task data in the place of the first example in its schema: JSON, `-` for standard input, or a
    /// file
    #[arg(long, value_name = "DATA")]
    pub(crate) data: Option<OsString>,
    /// How long an execution may take
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = limit)]
    pub(crate) timeout: Duration,
    /// How long an execution may take to end when it is aborted
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = limit)]
    pub(crate) grace: Duration,
    /// Try the made-up task data of that seed, and nothing else
    #[arg(long, value_name = "SEED", conflicts_with_all = ["level", "data"])]
    pub(crate) reproduce: Option<u32>,
}
