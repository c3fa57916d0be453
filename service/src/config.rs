//! The settings: defaults, files, environment. The command line's flags come last, and are not known here.

mod exposed;

use crate::setting::{self, MOST_SLOTS};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use taskbay_engine::has_password;
use toml::{Table, Value};

pub use exposed::Exposed;

/// The environment variable that names the engine.
pub const ENGINE_VARIABLE: &str = "TASKBAY_ENGINE";
/// The environment variable that names the file that stands in the place of `/etc/taskbay/config.toml`.
pub const CONFIG_VARIABLE: &str = "TASKBAY_CONFIG";
/// The first file where none is named.
const MAIN: &str = "/etc/taskbay/config.toml";

/// The settings of this machine and user.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The engine's URL.
    pub engine: Option<String>,
    /// Of a worker.
    pub worker: WorkerConfig,
    /// Of a scheduler.
    pub scheduler: SchedulerConfig,
    /// Of a worker of a Debusine server.
    pub debusine: DebusineConfig,
    /// The files with an engine's password that others can read.
    #[serde(skip)]
    pub exposed: Vec<Exposed>,
}

/// The settings of a worker.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkerConfig {
    /// Its name; the machine's by default.
    #[serde(deserialize_with = "name")]
    pub name: Option<String>,
    /// How many requests it executes at a time; one for each processor by default.
    #[serde(deserialize_with = "slots")]
    pub slots: Option<u32>,
    /// How long a lease holds that is not renewed.
    #[serde(deserialize_with = "lease")]
    pub lease: Option<Duration>,
    /// How long attempts may go on after it was told to end.
    #[serde(deserialize_with = "time")]
    pub drain: Option<Duration>,
    /// How long processes have between TERM and KILL.
    #[serde(deserialize_with = "time")]
    pub grace: Option<Duration>,
    /// Whether task data may name files of this machine by their paths.
    pub local_files: Option<bool>,
}

/// The settings of a scheduler.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SchedulerConfig {
    /// How long completed requests stay, with their attempts and logs; 90 days by default. `forever` keeps them all.
    #[serde(deserialize_with = "age")]
    pub keep: Option<Duration>,
}

/// The settings of a worker of a Debusine server.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DebusineConfig {
    /// The folder with its tokens; that of Debusine's own worker where that is configured for the same server, else one of
    /// this program's.
    pub tokens: Option<PathBuf>,
    /// Whether a server on another machine may be spoken to without encryption.
    pub allow_http: bool,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read {}: {reason}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The file that is named is not there.
    #[error("{CONFIG_VARIABLE} names {}, which is not there", file.display())]
    Missing {
        /// The file.
        file: PathBuf,
    },
    /// A file is not what it should be.
    #[error("{} is no configuration: {reason}", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Why, with line and column, and nothing that the file says: that may be a password.
        reason: String,
    },
}

impl Config {
    /// Reads the files that there are, a later one over an earlier one: `/etc/taskbay/config.toml` (or the file that
    /// `TASKBAY_CONFIG` names), `config.d/*.toml` beside it in their order, `taskbay/config.toml` in the user's directory for
    /// configuration; and then `TASKBAY_ENGINE`.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or has something that is no setting.
    pub fn read() -> Result<Self, ConfigError> {
        let variable = |name| env::var_os(name).filter(|value| !value.is_empty());
        let named = variable(CONFIG_VARIABLE).map(PathBuf::from);
        let user = variable("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".config")));
        let user = user.map(|directory| directory.join("taskbay/config.toml"));
        let mut config = Self::of_files(named.as_deref(), Path::new(MAIN), user.as_deref())?;
        if let Some(engine) = variable(ENGINE_VARIABLE) {
            config.engine = Some(engine.to_string_lossy().into_owned());
        }
        Ok(config)
    }

    /// Reads the file that somebody named, or else `main` if it is there, and what is beside it, and the user's.
    fn of_files(
        named: Option<&Path>,
        main: &Path,
        user: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let missing = |file: &&Path| matches!(file.try_exists(), Ok(false));
        if let Some(file) = named.filter(missing) {
            let file = file.to_owned();
            return Err(ConfigError::Missing { file });
        }
        let main = named.unwrap_or(main);
        let mut files = vec![main.to_owned()];
        files.extend(drop_ins(main)?);
        files.extend(user.map(Path::to_owned));
        let (mut whole, mut exposed) = (Table::new(), Vec::new());
        for file in files {
            let Some(text) = read(&file)? else {
                continue;
            };
            let invalid = |error: &toml::de::Error| ConfigError::invalid(&file, &text, error);
            // By itself, so that a mistake is told of the file that has it.
            let config: Self = toml::from_str(&text).map_err(|error| invalid(&error))?;
            if config.engine.as_deref().is_some_and(has_password) {
                exposed.extend(Exposed::of(&file));
            }
            merge(&mut whole, text.parse().map_err(|error| invalid(&error))?);
        }
        let merged: Result<Self, _> = whole.try_into();
        let merged = merged.map_err(|error| ConfigError::invalid(main, "", &error))?;
        Ok(Self { exposed, ..merged })
    }
}

/// The files in `config.d` beside the main file, sorted.
fn drop_ins(main: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let directory = main.with_file_name("config.d");
    let unreadable = |reason| ConfigError::Unreadable {
        file: directory.clone(),
        reason,
    };
    let entries = match fs::read_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<Option<String>, ConfigError> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(reason) => Err(ConfigError::Unreadable {
            file: file.to_owned(),
            reason,
        }),
    }
}

/// Puts the values of `over` into `table`, in the place of what is there.
fn merge(table: &mut Table, over: Table) {
    for (key, value) in over {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(over)) => merge(inner, over),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    setting_of(deserializer, setting::worker_name)
}

fn lease<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    setting_of(deserializer, setting::lease)
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    setting_of(deserializer, setting::duration)
}

fn setting_of<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: fn(&str) -> Result<T, String>,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map(Some).map_err(D::Error::custom)
}

fn slots<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let slots = u32::deserialize(deserializer)?;
    if slots == 0 || slots > MOST_SLOTS {
        return Err(D::Error::custom(format!(
            "write a number from 1 to {MOST_SLOTS}"
        )));
    }
    Ok(Some(slots))
}

fn age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    setting_of(deserializer, setting::age)
}

impl ConfigError {
    /// A mistake in a file of that text. What a parser's own message shows of the text is left out.
    fn invalid(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let message = match error.message() {
            // Some quote a value that is not what it should be.
            message if message.contains("://") => "an address stands where none belongs",
            message => message,
        };
        let message = message.lines().collect::<Vec<_>>().join(", ");
        let reason = match error.span().and_then(|span| text.get(..span.start)) {
            Some(before) => {
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or_default();
                let column = column.chars().count() + 1;
                format!("line {line}, column {column}: {message}")
            }
            None => message,
        };
        Self::Invalid {
            file: file.to_owned(),
            reason,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "make it readable for this user, or remove it",
            Self::Missing { .. } => "name a file that is there, or none",
            Self::Invalid { .. } => {
                "the settings are `engine`, and under `[worker]` `name`, `slots`, `lease`, `drain`, `grace` and `local_files`, \
                 under `[scheduler]` `keep`, and under `[debusine]` `tokens` and `allow_http`"
            }
        }
    }
}

#[cfg(test)]
mod tests;
