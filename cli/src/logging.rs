//! The host's log: to standard error, filtered by `RUST_LOG` or by the flags.

use crate::args::{Args, Command};
use env_logger::{Builder, Env, Target};
use log::LevelFilter;

/// Starts logging.
pub(crate) fn start(args: &Args) {
    let level = match (args.global.quiet, args.global.verbose) {
        // What goes wrong is what it looks for, and what it does itself: the report says it.
        (_, 0) if matches!(args.command, Command::Check(_)) => LevelFilter::Off,
        (true, _) => LevelFilter::Error,
        (false, 0) if matches!(args.command, Command::Run { .. }) => LevelFilter::Info,
        (false, 0) => LevelFilter::Warn,
        (false, 1) => LevelFilter::Debug,
        (false, _) => LevelFilter::Trace,
    };
    let places = args.global.verbose > 0;
    Builder::from_env(Env::default().default_filter_or(level.as_str()))
        .target(Target::Stderr)
        .format_timestamp(None)
        .format_file(places)
        .format_line_number(places)
        .init();
}
