//! The task contract.

use crate::{
    Confinement, Context, Metadata, Refusal, Requirement, TaskConfigError, TaskError, default_code,
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// A task, configured: the type's fields are its task data.
///
/// `configure` is deserialisation: the host checks the data against [`schema`](Task::schema), then parses it into the
/// type, then asks [`check`](Task::check). So there is no task that is not configured. What the type serialises to is
/// the task's `data`, with all defaults filled in.
///
/// # Who calls what
///
/// | member | called by | how often | may touch |
/// | --- | --- | --- | --- |
/// | `schema` | any host | once per loaded plugin | nothing |
/// | `analyze_worker` | a worker | now and then | reads the machine; never changes it |
/// | parse, `check`, `requirements`, `match_key`, `confinement`, `label` | worker and scheduler | once per request | nothing |
/// | `can_run_on` | scheduler, maybe on several threads | once per distinct worker metadata | nothing |
/// | `execute` | a worker, in a process of its own | once | its work directory, the server, commands |
///
/// # Panics
///
/// A panic anywhere is caught in the plugin and reported as an error; the instance answers nothing after it. Do not
/// rely on it: return errors.
pub trait Task: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The task's name: ASCII lower case letters, digits, `_`, `-`; anything else does not compile.
    const NAME: &'static str;

    /// The task's version. Scheduler and worker must agree on it, so raise it when the meaning of the task data changes.
    const VERSION: u32;

    /// Whether [`can_run_on`](Task::can_run_on) is overridden. When false no verdict asks it; `taskbay check` finds a task
    /// that overrides it all the same.
    const HAS_CAN_RUN_ON: bool = false;

    /// The JSON Schema of the task data, or `None` to take any JSON value. By default it is derived from the type.
    fn schema() -> Option<Value> {
        let generator = SchemaSettings::draft07().into_generator();
        Some(generator.into_root_schema_for::<Self>().into())
    }

    /// What a worker's metadata shall say of this task, under keys that start with the task's name and a colon.
    ///
    /// `known` is what the host found out already, such as `executor:unshare:available`. The host itself adds
    /// `<name>:version`; it drops and reports keys of others. Nothing by default.
    ///
    /// # Errors
    ///
    /// When the machine cannot be looked at; the worker then does not offer the task, and says why.
    fn analyze_worker(known: &Metadata) -> Result<Metadata, TaskError> {
        let _ = known;
        Ok(Metadata::default())
    }

    /// What is wrong with the data beyond what schema and type say: all faults at once. Nothing by default.
    fn check(&self) -> Vec<TaskConfigError> {
        Vec::new()
    }

    /// Which conditions a worker's metadata must fulfil. None by default.
    ///
    /// The host evaluates them itself, after the implied ones: version equality, worker type, architecture.
    fn requirements(&self) -> Vec<Requirement> {
        Vec::new()
    }

    /// Whether a worker suits, where requirements cannot say it. Set [`HAS_CAN_RUN_ON`](Task::HAS_CAN_RUN_ON) with it.
    ///
    /// It decides solely from `worker` and the configured data, since verdicts are kept and asked for elsewhere. It is
    /// asked only after all other conditions hold.
    ///
    /// # Errors
    ///
    /// The reasons against the worker.
    fn can_run_on(&self, worker: &Metadata) -> Result<(), Refusal> {
        let _ = worker;
        default_code::has_answered();
        Ok(())
    }

    /// What of the data decides in [`can_run_on`](Task::can_run_on), where that is less than all of it: requests of one
    /// key share verdicts.
    fn match_key(&self) -> Option<String> {
        None
    }

    /// How little of the machine it can live with as it executes. [`Confinement::None`] by default, and
    /// [`Confinement::Strict`] is what to aim at: the data of others is not always what it seems.
    fn confinement(&self) -> Confinement {
        Confinement::None
    }

    /// What this very request has it do, in a line for people: `build hello_2.10-3.dsc on amd64`. By default there is none,
    /// and hosts say the task's name.
    ///
    /// A label has no more than [200](crate::Declared::LONGEST_LABEL) characters; hosts cut the middle out of longer ones.
    fn label(&self) -> Option<String> {
        None
    }

    /// Does the work. True is success, false is failure.
    ///
    /// # Errors
    ///
    /// When the work could not be done.
    fn execute(&self, context: &Context) -> Result<bool, TaskError>;
}
