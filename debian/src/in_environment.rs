//! Where a task runs that needs an environment, as its data says.

use crate::{
    ExtraRepository,
    architecture::{architecture_faults, conflict, named_architecture},
    executor::refuse_unknown,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use taskbay_plugin_api::{Backend, Lookup, TaskConfigError, TaskError};

/// The keys of task data that tasks in an environment share. A task flattens them into its own:
///
/// ```
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # use taskbay_debian::InEnvironment;
/// #[derive(Debug, Deserialize, Serialize, JsonSchema)]
/// #[schemars(deny_unknown_fields)]
/// struct Build {
///     #[serde(flatten)]
///     place: InEnvironment,
/// }
/// ```
///
/// With `flatten`, serde itself refuses no unknown keys, so that has to stand in the schema, which hosts go by first.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
pub struct InEnvironment {
    /// The system to run in: an artifact of category `debian:system-tarball`.
    pub environment: Lookup,
    /// What runs the commands in it.
    #[serde(default)]
    pub backend: Backend,
    /// The architecture to run on, as it was called before `build_architecture`.
    #[serde(default)]
    host_architecture: Option<String>,
    /// The architecture to run on.
    #[serde(default)]
    build_architecture: Option<String>,
    /// Repositories that packages come from, besides those of the environment.
    #[serde(default)]
    extra_repositories: Option<Vec<ExtraRepository>>,
    /// Kept for the server; the task itself ignores it.
    #[serde(default)]
    task_configuration: Option<Value>,
}

impl InEnvironment {
    /// The architecture, where one is given.
    pub fn architecture(&self) -> Option<&str> {
        let (build, host) = self.architectures();
        named_architecture(build, host)
    }

    /// Refuses a backend that no task runs commands with, in a task whose own tool runs them.
    ///
    /// # Errors
    ///
    /// When it is another than `unshare`.
    pub fn refuse_unknown_backend(&self) -> Result<(), TaskError> {
        refuse_unknown(self.backend)
    }

    /// The repositories that have packages for the architecture.
    pub fn repositories(&self) -> Vec<&ExtraRepository> {
        let all = self.extra_repositories.iter().flatten();
        all.filter(|each| each.is_for(self.architecture()))
            .collect()
    }

    /// What is wrong beyond what the schema says.
    pub fn faults(&self) -> Vec<TaskConfigError> {
        let mut faults = ExtraRepository::faults(
            "/extra_repositories",
            self.extra_repositories.as_deref().unwrap_or_default(),
        );
        let (build, host) = self.architectures();
        faults.extend(conflict(build, host));
        faults
    }

    /// The same, in a task that needs the architecture.
    pub fn faults_with_architecture(&self) -> Vec<TaskConfigError> {
        let (build, host) = self.architectures();
        let mut faults = self.faults();
        faults.extend(architecture_faults(build, host));
        faults
    }

    fn architectures(&self) -> (Option<&String>, Option<&String>) {
        (
            self.build_architecture.as_ref(),
            self.host_architecture.as_ref(),
        )
    }
}
