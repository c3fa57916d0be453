//! The settings: defaults, files, environment. The command line's flags come last, and are not known here.

use serde::{Deserialize, Deserializer, de::Error as _};
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use toml::{Table, Value};

/// The environment variable that names the engine.
pub const ENGINE_VARIABLE: &str = "TASKBAY_ENGINE";
/// The environment variable that names the file that stands in the place of `/etc/taskbay/config.toml`.
pub const CONFIG_VARIABLE: &str = "TASKBAY_CONFIG";

/// The settings of this machine and user.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The engine's URL.
    pub engine: Option<String>,
    /// Of a worker.
    pub worker: WorkerConfig,
}

/// The settings of a worker.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkerConfig {
    /// Its name; the machine's by default.
    pub name: Option<String>,
    /// How many requests it executes at a time; one for each processor by default.
    pub slots: Option<u32>,
    /// How long a lease holds that is not renewed.
    #[serde(deserialize_with = "time")]
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
    /// A file is not what it should be.
    #[error("{} is no configuration: {reason}", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Why, with line and column.
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
        let main = variable(CONFIG_VARIABLE)
            .map_or_else(|| PathBuf::from("/etc/taskbay/config.toml"), PathBuf::from);
        let user = variable("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".config")));
        let user = user.map(|directory| directory.join("taskbay/config.toml"));
        let mut config = Self::of_files(&main, user.as_deref())?;
        if let Some(engine) = variable(ENGINE_VARIABLE) {
            config.engine = Some(engine.to_string_lossy().into_owned());
        }
        Ok(config)
    }

    fn of_files(main: &Path, user: Option<&Path>) -> Result<Self, ConfigError> {
        let mut files = vec![main.to_owned()];
        files.extend(drop_ins(main)?);
        files.extend(user.map(Path::to_owned));
        let mut whole = Table::new();
        for file in files {
            let Some(table) = read_table(&file)? else {
                continue;
            };
            // By itself, so that a mistake is told of the file that has it.
            let alone: Result<Self, _> = table.clone().try_into();
            alone.map_err(|error| ConfigError::invalid(&file, &error))?;
            merge(&mut whole, table);
        }
        let merged: Result<Self, _> = whole.try_into();
        merged.map_err(|error| ConfigError::invalid(main, &error))
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

fn read_table(file: &Path) -> Result<Option<Table>, ConfigError> {
    match fs::read_to_string(file) {
        Ok(text) => text
            .parse()
            .map(Some)
            .map_err(|error| ConfigError::invalid(file, &error)),
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

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time = humantime::parse_duration(&text).map_err(|error| {
        D::Error::custom(format!("{text:?} is no time such as \"90s\": {error}"))
    })?;
    Ok(Some(time))
}

impl ConfigError {
    fn invalid(file: &Path, reason: &impl ToString) -> Self {
        Self::Invalid {
            file: file.to_owned(),
            reason: reason.to_string().trim_end().to_owned(),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "make it readable for this user, or remove it",
            Self::Invalid { .. } => {
                "the settings are `engine`, and under `[worker]` `name`, `slots`, `lease`, `drain`, `grace` and `local_files`"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_files_win_and_what_they_do_not_say_stays() {
        let top = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let file = top.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            file
        };
        let main = file(
            "etc/config.toml",
            "engine = \"sqlite:///a\"\n[worker]\nslots = 1\nlease = \"1m\"\n",
        );
        file("etc/config.d/20-b.toml", "[worker]\nslots = 3\n");
        file(
            "etc/config.d/10-a.toml",
            "[worker]\nslots = 2\nname = \"a\"\n",
        );
        file("etc/config.d/ignored.conf", "nonsense");
        let user = file("home/taskbay/config.toml", "engine = \"sqlite:///b\"\n");
        let config = Config::of_files(&main, Some(&user)).unwrap();
        assert_eq!(config.engine.as_deref(), Some("sqlite:///b"));
        assert_eq!(config.worker.slots, Some(3));
        assert_eq!(config.worker.name.as_deref(), Some("a"));
        assert_eq!(config.worker.lease, Some(Duration::from_mins(1)));
        let none = Config::of_files(&top.path().join("none/config.toml"), None).unwrap();
        assert_eq!(none, Config::default());
    }

    #[test]
    fn mistakes_name_the_file_and_the_line() {
        let top = tempfile::tempdir().unwrap();
        let main = top.path().join("config.toml");
        for (text, part) in [
            ("engine = 7\n", "invalid type"),
            ("\n[worker]\nslotz = 2\n", "slotz"),
            ("[worker]\nlease = \"soon\"\n", "is no time such as"),
            ("engine = \n", "line 1"),
        ] {
            fs::write(&main, text).unwrap();
            let error = Config::of_files(&main, None).unwrap_err().to_string();
            assert!(error.contains("config.toml is no configuration"), "{error}");
            assert!(error.contains(part), "{error}");
        }
    }
}
