//! A loaded plugin: its task, not yet configured.

use crate::{Admissible, ConfiguredTask, Schema, SchemaError, WorkerView};
use abi_stable::std_types::{RResult, RStr, RString};
use log::LevelFilter;
use serde_json::Value;
use std::{
    error::Error,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};
use taskbay_core::{Metadata, TaskConfigError, TaskName};
use taskbay_plugin_api::host::{Description, Fault, TaskModuleRef};

/// The most that a plugin may say of its task or of a worker, in bytes: every scheduler will have to hold it.
const LARGEST: usize = 1024 * 1024;

/// A loaded plugin. It stays loaded for the life of the process.
pub struct Plugin {
    name: TaskName,
    path: PathBuf,
    module: TaskModuleRef,
    description: Description,
    schema: OnceLock<Option<Result<Schema, SchemaError>>>,
}

/// What a plugin's `analyze_worker` gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analysis {
    /// Keys under the task's own prefix, the version among them.
    pub metadata: Metadata,
    /// Keys that were dropped, since they are others'.
    pub dropped: Vec<String>,
}

/// Why task data gives no configured task.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// The data is wrong: every fault found.
    #[error("the task data is invalid: {}", join(.0))]
    Invalid(Vec<TaskConfigError>),
    /// The plugin failed as it was asked.
    #[error("the plugin failed: {0}")]
    Plugin(#[from] Fault),
    /// The plugin's schema is invalid.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

impl Plugin {
    pub(crate) fn new(
        admissible: &Admissible,
        module: TaskModuleRef,
        description: Description,
    ) -> Self {
        Self {
            name: admissible.name().clone(),
            path: admissible.path().to_owned(),
            module,
            description,
            schema: OnceLock::new(),
        }
    }

    /// The task's name.
    pub fn name(&self) -> &TaskName {
        &self.name
    }

    /// The task's version.
    pub fn version(&self) -> u32 {
        self.description.version
    }

    /// The file that it came from, as found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The JSON Schema of its task data; none takes any JSON value.
    pub fn schema(&self) -> Option<&Value> {
        self.description.schema.as_ref()
    }

    /// Lets records of up to that level cross from the plugin.
    pub fn set_log_level(&self, level: LevelFilter) {
        self.module.set_log_level()(u8::try_from(level as usize).unwrap_or(u8::MAX));
    }

    /// The schema, compiled on first use.
    pub(crate) fn compiled_schema(&self) -> Option<Result<&Schema, &SchemaError>> {
        self.schema
            .get_or_init(|| self.schema().map(Schema::compile))
            .as_ref()
            .map(Result::as_ref)
    }

    /// What the worker's metadata says of this task, its version included, given what is `known` otherwise.
    ///
    /// # Errors
    ///
    /// When the plugin fails, or says something that is no metadata.
    pub fn analyze(&self, known: &Metadata) -> Result<Analysis, Fault> {
        let known = to_json(known)?;
        let text = text(self.module.analyze_worker()(RStr::from_str(&known)))?;
        check_size(&text, "the worker")?;
        let said = Metadata::parse(&text).map_err(|error| failed(with_cause(&error)))?;
        let mut analysis = Analysis::default();
        for (key, value) in said.iter() {
            match self.name.strip_prefix(key) {
                Some("version") | None => analysis.dropped.push(key.to_owned()),
                Some(_) => analysis.metadata.insert(key, value.clone()),
            }
        }
        analysis
            .metadata
            .insert(&self.name.prefix("version"), self.version());
        Ok(analysis)
    }

    /// Configures the task with JSON text: the schema first, then the plugin's own checks.
    ///
    /// # Errors
    ///
    /// Every fault of the data, or what the plugin failed with.
    pub fn configure(&self, data: &str) -> Result<ConfiguredTask<'_>, ConfigureError> {
        if let Some(schema) = self.compiled_schema() {
            let value = serde_json::from_str(data).map_err(|error| not_json(&error))?;
            let faults = schema.map_err(Clone::clone)?.faults(&value);
            if !faults.is_empty() {
                return Err(ConfigureError::Invalid(faults));
            }
        }
        self.configure_checked(data)
    }

    /// Configures the task with JSON text that is known to be as the schema says, such as what an earlier `configure`
    /// gave. The plugin's own checks are made.
    ///
    /// # Errors
    ///
    /// As [`configure`](Self::configure).
    pub fn configure_checked(&self, data: &str) -> Result<ConfiguredTask<'_>, ConfigureError> {
        match reply(self.module.configure()(RStr::from_str(data))) {
            Ok(task) => Ok(ConfiguredTask::new(self, task)?),
            Err(Fault::Config { errors }) => Err(ConfigureError::Invalid(errors)),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Prepares a worker's metadata for verdicts of this plugin: parsed by the plugin once, when it is first needed.
    pub fn worker(&self, metadata: Arc<Metadata>) -> WorkerView {
        WorkerView::new(self.module, metadata)
    }

    pub(crate) fn has_can_run_on(&self) -> bool {
        self.description.has_can_run_on
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.name)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// What a plugin's `describe` said. How large it is comes first: reading much takes long.
pub(crate) fn description(text: &str) -> Result<Description, Fault> {
    check_size(text, "the task")?;
    serde_json::from_str(text)
        .map_err(|error| failed(format!("what it said is no description: {error}")))
}

fn check_size(text: &str, of: &str) -> Result<(), Fault> {
    if text.len() > LARGEST {
        return Err(failed(format!(
            "what it says of {of} has {} bytes, and {LARGEST} are the most that is taken",
            text.len()
        )));
    }
    Ok(())
}

pub(crate) fn reply<T>(reply: RResult<T, RString>) -> Result<T, Fault> {
    reply
        .into_result()
        .map_err(|fault| Fault::from_json(&String::from_utf8_lossy(fault.as_bytes())))
}

/// The text that a plugin replied. Whoever made it, it is looked at before it is taken for one.
pub(crate) fn text(said: RResult<RString, RString>) -> Result<RString, Fault> {
    let text = reply(said)?;
    checked(&text)?;
    Ok(text)
}

/// A string of the plugin's, if it is one.
pub(crate) fn checked(said: &RString) -> Result<&str, Fault> {
    str::from_utf8(said.as_bytes())
        .map_err(|error| failed(format!("what it says is no text: {error}")))
}

fn with_cause(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

pub(crate) fn to_json(metadata: &Metadata) -> Result<String, Fault> {
    serde_json::to_string(metadata).map_err(failed)
}

fn failed(error: impl fmt::Display) -> Fault {
    Fault::Failed {
        message: error.to_string(),
    }
}

fn not_json(error: &serde_json::Error) -> ConfigureError {
    ConfigureError::Invalid(vec![
        TaskConfigError::new("", "the task data is not valid JSON").caused_by(error),
    ])
}

fn join(errors: &[TaskConfigError]) -> String {
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}
