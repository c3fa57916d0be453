//! The flags that are not one command's alone.

use clap::{ArgAction, ArgMatches, Args, Command, parser::ValueSource};
use std::{path::PathBuf, time::Duration};
use taskbay_service::setting::limit;

/// What every command takes, and what only those take that use plugins.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "General options")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Global {
    /// Look for plugins here first; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(crate) plugin_dir: Vec<PathBuf>,

    /// Write JSON to standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Load plugins that others may replace, too
    #[arg(long)]
    pub(crate) allow_insecure: bool,

    /// Run plugin code in this process, where no task is confined: for debuggers, and for plugins that are trusted not to
    /// crash or hang
    #[arg(long)]
    pub(crate) in_process: bool,

    /// How long a plugin may take to answer, other than to execute
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = limit)]
    pub(crate) plugin_timeout: Duration,

    /// Where requests wait: `sqlite:///PATH`, `postgres://…` or, for a worker, `debusine+https://HOST/api`; by default a
    /// file of this user, or what the configuration names
    #[arg(long, value_name = "URL")]
    pub(crate) engine: Option<String>,

    /// Log more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Log errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

/// The flags about plugins, which stand before or after the command.
const ABOUT_PLUGINS: [&str; 5] = [
    "engine",
    "plugin_dir",
    "allow_insecure",
    "in_process",
    "plugin_timeout",
];

/// Those of them that have an effect on a command.
fn taken(command: &str) -> &'static [&'static str] {
    match command {
        // They use none.
        "completions" | "man" | "quarantine" => &[],
        // It looks which names are taken.
        "new" => &["plugin_dir"],
        // It is given files, and has its own way to run their code.
        "check" => &["allow_insecure", "plugin_timeout"],
        // They run no plugin code.
        "inspect" | "paths" => &["plugin_dir", "allow_insecure"],
        // They run plugin code here, and meet others in an engine.
        "submit" | "explain" | "worker" | "scheduler" | "serve" => &ABOUT_PLUGINS,
        // They only ask the engine.
        "requests" | "show" | "logs" | "abort" | "retry" | "workers" | "worker-set"
        | "artifact" => &["engine"],
        _ => &[
            "plugin_dir",
            "allow_insecure",
            "in_process",
            "plugin_timeout",
        ],
    }
}

/// Has a command take the flags that have an effect on it. They are not clap's global ones: those are shown, and taken,
/// everywhere, and what stands after the command replaces what stands before.
pub(crate) fn take(command: Command) -> Command {
    let taken = taken(command.get_name());
    let all = Global::augment_args(Command::new("all"));
    let flags = all.get_arguments();
    let flags = flags.filter(|flag| taken.contains(&flag.get_id().as_str()));
    command.args(flags.cloned())
}

impl Global {
    /// Adds the flags after the command to those before it.
    ///
    /// # Errors
    ///
    /// Which flag before the command has no effect on it.
    pub(crate) fn add(&mut self, matches: &ArgMatches) -> Result<(), String> {
        let Some((name, below)) = matches.subcommand() else {
            return Ok(());
        };
        let taken = taken(name);
        let mut others = ABOUT_PLUGINS.iter().filter(|id| !taken.contains(id));
        if let Some(id) = others.find(|id| is_given(matches, id)) {
            let flag = id.replace('_', "-");
            return Err(format!(
                "`--{flag}` has no effect on `taskbay {name}`: leave it out"
            ));
        }
        for id in taken.iter().filter(|id| is_given(below, id)) {
            match *id {
                "plugin_dir" => {
                    let more = below.get_many::<PathBuf>(id);
                    self.plugin_dir.extend(more.into_iter().flatten().cloned());
                }
                "engine" => self.engine = below.get_one::<String>(id).cloned(),
                "allow_insecure" => self.allow_insecure = true,
                "in_process" => self.in_process = true,
                _ => {
                    let limit = below.get_one::<Duration>(id);
                    self.plugin_timeout = limit.copied().unwrap_or(self.plugin_timeout);
                }
            }
        }
        Ok(())
    }
}

fn is_given(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}
