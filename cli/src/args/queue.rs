//! The arguments of the commands about requests, workers, and the engine that they meet in.

use super::TaskArgs;
use clap::{Args, Subcommand};
use std::{ffi::OsString, path::PathBuf, time::Duration};
use taskbay_core::{ArtifactId, TaskName};
use taskbay_engine::{RequestId, Status};
use taskbay_service::setting::{MOST_SLOTS, duration, lease, limit, worker_name};

/// The commands about requests, workers, and the engine that they meet in.
#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// Have a worker execute a task
    Submit {
        #[command(flatten)]
        task: TaskArgs,
        /// Requests of a higher priority go first
        #[arg(
            long,
            value_name = "NUMBER",
            default_value_t = 0,
            allow_negative_numbers = true
        )]
        priority: i32,
        /// How long an attempt may take, such as `90s` or `2h`
        #[arg(long, value_name = "TIME", value_parser = limit)]
        timeout: Option<Duration>,
        /// After how many attempts that ended without a result it is held
        #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
        attempts: u32,
        /// Show its log until it is completed, and exit as `taskbay run` would
        #[arg(long)]
        wait: bool,
    },
    /// List requests, the newest first
    Requests {
        /// Only those that got that far: `pending`, `running`, `completed` or `held`
        #[arg(long, value_name = "STATUS", value_parser = status)]
        status: Option<Status>,
        /// Only those of that task
        #[arg(long, value_name = "NAME", value_parser = task_name)]
        task: Option<TaskName>,
        /// At most so many
        #[arg(long, value_name = "NUMBER", default_value_t = 100)]
        limit: u32,
    },
    /// Show a request: how far it got, its result, its attempts
    Show {
        /// The request's number
        #[arg(value_name = "ID")]
        id: RequestId,
    },
    /// Show what a request's attempts said
    Logs {
        /// The request's number
        #[arg(value_name = "ID")]
        id: RequestId,
        /// Go on until the request is completed
        #[arg(short, long)]
        follow: bool,
    },
    /// Say who can execute a request, who cannot, and why not
    Explain {
        /// The request's number
        #[arg(value_name = "ID", required_unless_present = "worker")]
        id: Option<RequestId>,
        /// Say instead which of the requests that wait this worker can execute
        #[arg(long, value_name = "NAME", conflicts_with = "id")]
        worker: Option<String>,
        /// How many of the requests that wait are looked at, those that workers get first
        #[arg(long, value_name = "NUMBER", default_value_t = 10_000, conflicts_with = "id", value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Stop a request, wherever it got to
    Abort {
        /// The request's number
        #[arg(value_name = "ID")]
        id: RequestId,
    },
    /// Have a completed or held request executed once more
    Retry {
        /// The request's number
        #[arg(value_name = "ID")]
        id: RequestId,
    },
    /// List the workers
    Workers {
        /// Show which has which task in which version
        #[arg(long)]
        skew: bool,
    },
    /// Say what counts of a worker, whatever it reports, and what it may execute
    WorkerSet(WorkerSetArgs),
    /// Offer what this machine can do, take requests and execute them, until told to end
    #[command(after_help = DEBUSINE)]
    Worker(WorkerArgs),
    /// Find out what requests demand and who may execute them, until told to end
    Scheduler,
    /// Be a worker and a scheduler in one process
    Serve(WorkerArgs),
    /// Look after the artifacts in the engine's store
    Artifact {
        #[command(subcommand)]
        command: ArtifactCommand,
    },
}

/// How a worker takes the place of another make's.
const DEBUSINE: &str = "\
With `--engine debusine:` it takes the place of Debusine's own worker on this machine, which is to be stopped first: the server's \
address and the token are those of /etc/debusine/worker. As a service it needs TASKBAY_ENGINE=debusine: and TASKBAY_SERVICE=worker \
in /etc/default/taskbay-worker, and the user who may read that token in a drop-in (`systemctl edit taskbay-worker`): [Service], \
User=debusine-worker. Tokens of more slots are kept in /var/lib/taskbay where /etc/debusine/worker takes none.";

/// How a worker works.
#[derive(Clone, Debug, Args)]
pub(crate) struct WorkerArgs {
    /// The worker's name; the machine's by default
    #[arg(long, value_name = "NAME", value_parser = worker_name)]
    pub(crate) name: Option<String>,
    /// How many requests it executes at a time; by default one for each processor
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_SLOTS)))]
    pub(crate) slots: Option<u32>,
    /// How long attempts may go on after it was told to end, before they are handed back
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) drain: Option<Duration>,
    /// How long processes have between TERM and KILL when they are told to end
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) grace: Option<Duration>,
    /// How long a request stays this worker's after it was last heard of
    #[arg(long, value_name = "TIME", value_parser = lease)]
    pub(crate) lease: Option<Duration>,
}

/// What counts of a worker.
#[derive(Clone, Debug, Args)]
pub(crate) struct WorkerSetArgs {
    /// The worker's name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// This metadata counts, whatever the worker reports: a key, and its value as JSON; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// What the worker reports under this key counts again; may be given several times
    #[arg(long, value_name = "KEY")]
    pub(crate) unset: Vec<String>,
    /// It executes these tasks only, separated by commas; nothing for whatever it can
    #[arg(long, value_name = "TASKS", value_parser = tasks)]
    pub(crate) allow: Option<TaskList>,
    /// It executes these tasks not, separated by commas; nothing for none. An allow list shadows this
    #[arg(long, value_name = "TASKS", value_parser = tasks)]
    pub(crate) deny: Option<TaskList>,
    /// It finishes what it has, and gets nothing new (`true`), or gets requests again (`false`)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) drain: Option<bool>,
    /// It gets requests (`true`), or none (`false`)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) enable: Option<bool>,
    /// Forget it, with all that was set here. Refused while it executes something; one that still runs comes back
    #[arg(long, conflicts_with_all = ["set", "unset", "allow", "deny", "drain", "enable"])]
    pub(crate) remove: bool,
}

/// Tasks that are named on the command line.
#[derive(Clone, Debug)]
pub(crate) struct TaskList(pub(crate) Vec<TaskName>);

/// What to do with the artifacts in the store.
#[derive(Debug, Subcommand)]
pub(crate) enum ArtifactCommand {
    /// Store what stands for a local file: a `.dsc` or `.changes` with the files that it names, a `.deb`, a `.build` log, or
    /// any other file
    Import {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// List them, the newest first
    List {
        /// Only those that this request resulted in
        #[arg(long, value_name = "ID")]
        request: Option<RequestId>,
        /// At most so many
        #[arg(long, value_name = "NUMBER", default_value_t = 100)]
        limit: u32,
    },
    /// Show one
    Show {
        /// Its number
        #[arg(value_name = "ID")]
        id: ArtifactId,
    },
    /// Write the files of one
    Export {
        /// Its number
        #[arg(value_name = "ID")]
        id: ArtifactId,
        /// Where to; it is made if it is not there
        #[arg(value_name = "DIR")]
        directory: OsString,
    },
    /// Remove one; its content goes within a day or so, unless another has it too
    Remove {
        /// Its number
        #[arg(value_name = "ID")]
        id: ArtifactId,
    },
}

fn status(text: &str) -> Result<Status, String> {
    let all = [
        Status::Pending,
        Status::Running,
        Status::Completed,
        Status::Held,
    ];
    let found = all.into_iter().find(|status| status.as_str() == text);
    found.ok_or_else(|| "write `pending`, `running`, `completed` or `held`".to_owned())
}

fn task_name(text: &str) -> Result<TaskName, String> {
    TaskName::fold(text).map_err(|error| error.to_string())
}

fn tasks(text: &str) -> Result<TaskList, String> {
    let names = text.split(',').filter(|name| !name.is_empty());
    names.map(task_name).collect::<Result<_, _>>().map(TaskList)
}
