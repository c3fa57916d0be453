//! A configured task, as its host holds it.

use crate::{
    Plugin, WorkerView,
    host_context::Registered,
    plugin::{checked, reply, text},
};
use abi_stable::std_types::{RStr, RString};
use serde::de::IgnoredAny;
use serde_json::Value;
use std::fmt;
use taskbay_core::{
    Conditions, Context, Declared, OwnCode, Reason, ReasonCode, Requirement, Verdict,
};
use taskbay_plugin_api::host::{Attempt, ConfiguredTaskBox, Fault};

/// A task with valid data. Only [`Plugin::configure`] makes one, so there is no task that is not configured.
pub struct ConfiguredTask<'p> {
    plugin: &'p Plugin,
    task: ConfiguredTaskBox,
    data: RString,
    conditions: Conditions,
}

impl<'p> ConfiguredTask<'p> {
    pub(crate) fn new(plugin: &'p Plugin, task: ConfiguredTaskBox) -> Result<Self, Fault> {
        let data = text(task.data())?;
        let declared = text(task.requirements())?;
        let declared: Vec<Requirement> = if declared.is_empty() {
            Vec::new()
        } else {
            serde_json::from_str(&declared).map_err(|error| Fault::Failed {
                message: format!("what it requires is malformed: {error}"),
            })?
        };
        // Most data names no architecture; only data that may is kept for it.
        let named = if data.contains("_architecture") {
            serde_json::from_str(&data)
        } else {
            serde_json::from_str(&data).map(|IgnoredAny| Value::Null)
        };
        let named = named.map_err(|error| Fault::Failed {
            message: format!("the data that it gave back is malformed: {error}"),
        })?;
        let conditions = Conditions::new(plugin.name(), plugin.version(), &named, declared);
        Ok(Self {
            plugin,
            task,
            data,
            conditions,
        })
    }

    /// The plugin whose task it is.
    pub fn plugin(&self) -> &'p Plugin {
        self.plugin
    }

    /// The task data as JSON text, defaults filled in.
    pub fn data(&self) -> &str {
        &self.data
    }

    /// What a worker must fulfil: the declared requirements, and the implied one on the architecture.
    pub fn requirements(&self) -> &[Requirement] {
        self.conditions.requirements()
    }

    /// How the task's own code decides, where it has some: by all of the data, or by a part that the task names.
    ///
    /// # Errors
    ///
    /// When the plugin fails.
    pub fn own_code(&self) -> Result<Option<OwnCode>, Fault> {
        if !self.plugin.has_can_run_on() {
            return Ok(None);
        }
        let key = reply(self.task.match_key())?.into_option();
        let key = key.map(|key| checked(&key).map(ToOwned::to_owned));
        let match_key = key.transpose()?;
        Ok(Some(OwnCode { match_key }))
    }

    /// What the task says of itself beside that, fit to be shown; of a plugin of interface 1.0 the defaults.
    ///
    /// # Errors
    ///
    /// When the plugin fails, or says something that is no such document.
    pub fn declared(&self) -> Result<Declared, Fault> {
        let declared = text(self.task.declared())?;
        if declared.is_empty() {
            return Ok(Declared::default());
        }
        match serde_json::from_str::<Declared>(&declared) {
            Ok(declared) => Ok(declared.readable()),
            Err(error) => Err(Fault::Failed {
                message: format!("what it declares is malformed: {error}"),
            }),
        }
    }

    /// Judges a worker: by the conditions, and if they hold by the task's own code where it has some.
    pub fn verdict(&self, worker: &WorkerView) -> Verdict {
        let mut verdict = self.conditions.verdict(worker.metadata());
        if verdict.can_run() && self.plugin.has_can_run_on() {
            verdict.reasons = self.own_reasons(worker);
        }
        verdict
    }

    /// What the task's own code says against a worker, whatever the conditions say, and whether or not the task says that
    /// it has some: one that has some and does not say so is broken, and says that.
    pub fn own_reasons(&self, worker: &WorkerView) -> Vec<Reason> {
        match self.refusals(worker) {
            Ok(reasons) => reasons,
            Err(fault) => vec![Reason::new(ReasonCode::PluginFailed, fault.to_string())],
        }
    }

    fn refusals(&self, worker: &WorkerView) -> Result<Vec<Reason>, Fault> {
        let parsed = worker.parsed().map_err(Clone::clone)?;
        let messages = reply(self.task.can_run_on(parsed))?;
        // Copied, since turning the plugin's own strings into strings of this process would first ask whose they are.
        let refused = |message| Ok(Reason::new(ReasonCode::Refused, checked(message)?));
        messages.iter().map(refused).collect()
    }

    /// Executes the task in this process, unless it is aborted already: `None` then.
    ///
    /// # Errors
    ///
    /// What the task failed with.
    pub fn execute(&self, context: &Context) -> Option<Result<bool, Fault>> {
        if context.abort().is_set() {
            return None;
        }
        let registered = Registered::new(context.clone());
        let attempt = Attempt {
            number: registered.number(),
            work_directory: context.work_directory().to_owned(),
        };
        Some(match serde_json::to_string(&attempt) {
            Ok(attempt) => reply(self.task.execute(RStr::from_str(&attempt))),
            Err(error) => Err(Fault::Failed {
                message: format!("the work directory's name is no text: {error}"),
            }),
        })
    }
}

impl fmt::Debug for ConfiguredTask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfiguredTask")
            .field("name", self.plugin.name())
            .field("data", &self.data())
            .finish_non_exhaustive()
    }
}
