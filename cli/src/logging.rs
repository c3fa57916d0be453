//! The host's log: to standard error, filtered by `RUST_LOG` or by the flags.

use crate::{
    args::{Args, Command},
    report::plain,
};
use env_logger::{Builder, Env, Target};
use log::{Level, LevelFilter, Log, Metadata, Record};

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
    let logger = Builder::from_env(Env::default().default_filter_or(level.as_str()))
        .target(Target::Stderr)
        .format_timestamp(None)
        .format_file(places)
        .format_line_number(places)
        .build();
    let most = logger.filter();
    // It fails where there is a logger already, and this is the first.
    if log::set_boxed_logger(Box::new(PlainLogger(logger))).is_ok() {
        log::set_max_level(most);
    }
}

/// A logger of what tasks say, among others: a terminal gets nothing to obey.
struct PlainLogger<L>(L);

impl<L: Log> Log for PlainLogger<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        !is_chatter(metadata) && self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if is_chatter(record.metadata()) {
            return;
        }
        let message = plain(record.args());
        let target = plain(record.target());
        let file = record.file().map(plain);
        let mut record = record.to_builder();
        record.target(&target).file(file.as_deref());
        self.0.log(&record.args(format_args!("{message}")).build());
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// Whether it is what a library says of each byte that goes over a network: a token may be among them.
fn is_chatter(metadata: &Metadata<'_>) -> bool {
    const NETWORK: [&str; 4] = ["ureq", "ureq_proto", "tungstenite", "rustls"];
    let library = metadata.target().split("::").next().unwrap_or_default();
    metadata.level() > Level::Info && NETWORK.contains(&library)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Kept(Mutex<String>);

    impl Log for Kept {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            let said = format!("{} {}", record.target(), record.args());
            self.0.lock().unwrap().push_str(&said);
        }

        fn flush(&self) {}
    }

    #[test]
    fn terminals_get_nothing_to_obey() {
        let logger = PlainLogger(Kept::default());
        logger.log(
            &Record::builder()
                .target("a\u{9b}2J")
                .args(format_args!("b\u{1b}[2J\nERROR c"))
                .build(),
        );
        let said = logger.0.0.into_inner().unwrap();
        assert_eq!(said, "a\\u{9b}2J b\\u{1b}[2J\\nERROR c");
    }
}
