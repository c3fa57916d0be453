//! The command line's arguments.

use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand, builder::NonEmptyStringValueParser};
use std::{ffi::OsString, path::PathBuf, time::Duration};

/// Loads, matches and executes native task plugins.
#[derive(Debug, Parser)]
#[command(name = "taskbay", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The last part of every help text.
const EXIT_CODES: &str = "\
Exit status: 0 yes, success, valid; 1 no, failure, invalid; 2 wrong usage; 3 unknown task or file; 4 plugin refused; \
5 plugin crashed, hung or panicked; 6 environment unavailable; 7 aborted or timed out.";

/// What every command takes.
#[derive(Clone, Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Global {
    /// Look for plugins here first; may be given several times
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) plugin_dir: Vec<PathBuf>,

    /// Write JSON to standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Load plugins that others may replace, too
    #[arg(long, global = true)]
    pub(crate) allow_insecure: bool,

    /// Run plugin code in this process: for debuggers, and for plugins that are trusted not to crash or hang
    #[arg(long, global = true)]
    pub(crate) in_process: bool,

    /// How long a plugin may take to answer, other than to execute
    #[arg(long, global = true, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) plugin_timeout: Duration,

    /// Log more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Log errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the plugin files, usable or not, and why not
    List {
        /// Load each plugin too, which tells more
        #[arg(long)]
        load: bool,
        /// Exit with 4 when a file or directory is refused, or two plugins have one name
        #[arg(long)]
        strict: bool,
    },
    /// Show what a plugin file says of itself; none of its code runs
    Inspect {
        /// A task's name, or a plugin file
        #[arg(value_name = "NAME|FILE")]
        plugin: OsString,
    },
    /// Show where plugins are looked for
    Paths,
    /// Print the JSON Schema of a task's data
    Schema {
        /// The task
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Print this worker's metadata
    Analyze {
        /// Only what these tasks say of it
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Check task data
    Validate(TaskArgs),
    /// Say whether a worker may execute a task, and why not
    CanRun {
        #[command(flatten)]
        task: TaskArgs,
        /// The worker's metadata: JSON, `-` for standard input, or a file; this machine's by default
        #[arg(long, value_name = "METADATA")]
        worker: Option<OsString>,
    },
    /// Execute a task here and now
    Run {
        #[command(flatten)]
        task: TaskArgs,
        /// Where artifacts go; by default `./TASK-output`
        #[arg(long, value_name = "DIR")]
        output: Option<PathBuf>,
        /// How long it may take, such as `90s` or `2h`
        #[arg(long, value_name = "TIME", value_parser = duration)]
        timeout: Option<Duration>,
        /// How long processes have between TERM and KILL when they are told to end
        #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
        grace: Duration,
        /// Keep the work directory
        #[arg(long)]
        keep: bool,
    },
    /// Print a completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages
    Man {
        /// The directory to write them to
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

/// A task and its data.
#[derive(Debug, ClapArgs)]
pub(crate) struct TaskArgs {
    /// The task
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) name: String,
    /// The task data: JSON that starts with `{` or `[`, `-` for standard input, or a file
    #[arg(value_name = "DATA")]
    pub(crate) data: OsString,
}

/// A time such as `1m 30s`, or a plain number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok();
    if let Some(seconds) = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        return Ok(seconds);
    }
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write a time such as `90s`, `5m` or `2h`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn times_have_units_or_are_seconds() {
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("0.5"), Ok(Duration::from_millis(500)));
        assert!(duration("-1").is_err());
        assert!(
            duration("soon")
                .unwrap_err()
                .contains("write a time such as")
        );
    }
}
