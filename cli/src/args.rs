//! The command line's arguments.

mod check;
mod global;
mod queue;

pub(crate) use check::CheckArgs;
use clap::{
    ArgMatches, Args as ClapArgs, CommandFactory, FromArgMatches, Parser, Subcommand,
    error::ErrorKind,
};
pub(crate) use global::Global;
pub(crate) use queue::{ArtifactCommand, QueueCommand, WorkerArgs, WorkerSetArgs};
use std::{ffi::OsString, path::PathBuf, time::Duration};
use taskbay_service::setting::duration;

/// Loads, matches and executes native task plugins.
#[derive(Debug, Parser)]
#[command(name = "taskbay", version, arg_required_else_help = true, after_help = MORE)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The last part of every help text.
const MORE: &str = "\
Environment: TASKBAY_PLUGIN_PATH, directories with plugins, separated by colons; TASKBAY_CACHE_DIR, where private copies \
of plugins are kept, ~/.cache/taskbay by default; TASKBAY_ENGINE, where requests wait; TASKBAY_DEBUSINE_TOKEN, the token of a user of a Debusine server, for `explain`; TASKBAY_CONFIG, a file in the \
place of /etc/taskbay/config.toml; RUST_LOG, what is logged.

Exit status: 0 yes, success, valid; 1 no, failure, invalid, findings; 2 wrong usage; 3 unknown task, request or file; 4 plugin refused; \
5 plugin crashed, hung or panicked; 6 engine or environment unavailable; 7 aborted or timed out.";

/// What a scheduler of another make asks.
const QUESTIONS: &str = r#"Questions, each a JSON object in one line:
  {"tasks": {}}, or {"tasks": {"known": GENERATION}}
  {"schema": {"task": NAME}}
  {"configure": {"task": NAME, "data": DATA}}
  {"can-run": {"task": NAME, "data": DATA, "worker": METADATA}}
  {"explain": {"task": NAME, "data": DATA, "workers": [{"name": NAME, "metadata": METADATA, "busy": BOOL}]}}
  {"analyze": {}}

The answers are those that the commands of the same names give as JSON, or {"error": {"code", "message"}}. It ends with its standard input."#;

/// The whole command line.
pub(crate) fn command() -> clap::Command {
    Args::command().mut_subcommands(global::take)
}

impl Command {
    /// Whether it runs until it is told to end.
    pub(crate) fn is_service(&self) -> bool {
        matches!(
            self,
            Self::Answer
                | Self::Queue(
                    QueueCommand::Worker(_) | QueueCommand::Scheduler | QueueCommand::Serve(_)
                )
        )
    }
}

impl Args {
    /// Reads the arguments of this process.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        Self::of(&command().try_get_matches()?)
    }

    fn of(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut args = Self::from_arg_matches(matches)?;
        args.global.add(matches).map_err(|without_effect| {
            command().error(ErrorKind::ArgumentConflict, without_effect)
        })?;
        Ok(args)
    }
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
        /// Go on with a line for each task that comes, goes, or is replaced, until interrupted
        #[arg(long, conflicts_with_all = ["load", "strict"])]
        follow: bool,
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
    /// Say which workers shall execute which requests, and why others wait: offline, from files with a JSON object a line
    Match {
        /// The requests: `{"id", "task_name", "task_data", "priority", "created_at"}`; a file, or `-` for standard input
        #[arg(long, value_name = "FILE")]
        requests: OsString,
        /// The workers: `{"name", "metadata", "busy"}`, and optionally what an admin set: `static_metadata`, `allow`, `deny`
        #[arg(long, value_name = "FILE")]
        workers: OsString,
    },
    /// Answer a scheduler of another make: a question in each line of standard input, its answer in a line
    #[command(after_help = QUESTIONS)]
    Answer,
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
    /// Make a project for a new task: a plugin that builds, with tests and the data of its Debian package
    New {
        /// The task's name: ASCII lower case letters, digits, `_`, `-`
        #[arg(value_name = "NAME")]
        name: String,
        /// Where to; by default `./taskbay-task-NAME`
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,
        /// A copy of Taskbay's source to build against; by default that of the package taskbay-dev
        #[arg(long, value_name = "DIR")]
        api_path: Option<PathBuf>,
    },
    #[command(flatten)]
    Queue(QueueCommand),
    /// Try a plugin for its author: what it is, says, does, and leaves behind
    Check(CheckArgs),
    /// Show the plugins that were set aside since they died or hung, or forget it
    Quarantine {
        #[command(subcommand)]
        command: QuarantineCommand,
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

/// What to do with the plugins that were set aside.
#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List them
    List,
    /// Show the evidence
    Why {
        /// A task's name, or a plugin file
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Try a plugin again
    Clear {
        /// A task's name, or a plugin file
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// A task and its data.
#[derive(Debug, ClapArgs)]
pub(crate) struct TaskArgs {
    /// The task
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The task data: JSON that starts with `{` or `[`, `-` for standard input, or a file
    #[arg(value_name = "DATA")]
    pub(crate) data: OsString,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn plugin_directories_before_and_after_the_command_count_in_their_order() {
        let line =
            "taskbay --plugin-dir a --plugin-dir b list --plugin-dir c --load --plugin-timeout 7";
        let matches = command().try_get_matches_from(line.split(' ')).unwrap();
        let args = Args::of(&matches).unwrap();
        assert_eq!(args.global.plugin_dir, ["a", "b", "c"].map(PathBuf::from));
        assert_eq!(args.global.plugin_timeout, Duration::from_secs(7));
        assert!(!args.global.allow_insecure);
    }
}
