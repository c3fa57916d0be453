//! Where a task runs that needs no environment and takes one, as its data says.

use crate::{
    Executor,
    architecture::{conflict, named_architecture},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use taskbay_plugin_api::{
    Backend, Confinement, Context, Lookup, Requirement, TaskConfigError, TaskError,
};

/// The keys of task data that tasks share which run commands in an environment where one is named, and else on the worker
/// itself. A task flattens them into its own, as it does with [`InEnvironment`](crate::InEnvironment), and has to refuse
/// unknown keys by its schema likewise.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
pub struct InOptionalEnvironment {
    /// The environment to run commands in; without one, they run on the worker itself.
    #[serde(default)]
    environment: Option<Lookup>,
    /// What runs the commands in the environment.
    #[serde(default)]
    backend: Backend,
    /// The architecture that the worker must be able to build for.
    #[serde(default)]
    build_architecture: Option<String>,
    /// Kept for the server; the task itself ignores it.
    #[serde(default)]
    task_configuration: Option<Value>,
}

impl InOptionalEnvironment {
    /// What a worker must fulfil: run commands in an environment where one is named, and else what they need on the worker
    /// itself.
    pub fn requirements(&self, on_the_worker: Vec<Requirement>) -> Vec<Requirement> {
        match self.environment {
            Some(_) => vec![self.backend.requirement()],
            None => on_the_worker,
        }
    }

    /// How little of the worker the task can live with.
    pub fn confinement(&self) -> Confinement {
        Executor::confinement(self.environment.as_ref())
    }

    /// That another backend than `auto` is named, in a task that takes no other.
    pub fn another_than_auto(&self) -> Option<TaskConfigError> {
        let fault = || TaskConfigError::new("/backend", "must be `auto`");
        (self.backend != Backend::Auto).then(fault)
    }

    /// That the architecture is another than that of the old name of its key, in a task that takes both.
    pub fn conflict(&self, host_architecture: Option<&String>) -> Option<TaskConfigError> {
        conflict(self.build_architecture.as_ref(), host_architecture)
    }

    /// The architecture, where one is given, maybe by the old name of its key.
    pub fn architecture<'a>(&'a self, host_architecture: Option<&'a String>) -> Option<&'a str> {
        named_architecture(self.build_architecture.as_ref(), host_architecture)
    }

    /// What runs the task's commands. In an environment, these packages are installed first.
    ///
    /// # Errors
    ///
    /// As [`Executor::new`].
    pub fn executor<'a>(
        &self,
        context: &'a Context,
        packages: &[&str],
    ) -> Result<Executor<'a>, TaskError> {
        self.executor_with(None, context, packages)
    }

    /// The same, in a task that takes the old name of the architecture's key, too.
    ///
    /// # Errors
    ///
    /// As [`Executor::new`].
    pub fn executor_with<'a>(
        &self,
        host_architecture: Option<&String>,
        context: &'a Context,
        packages: &[&str],
    ) -> Result<Executor<'a>, TaskError> {
        let environment = (self.environment.as_ref(), self.backend);
        let architecture = self.architecture(host_architecture);
        Executor::new(context, environment, architecture, packages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::Arc;
    use taskbay_plugin_api::Abort;
    use taskbay_test::FakeServer;

    fn place(data: &Value) -> InOptionalEnvironment {
        serde_json::from_value(data.clone()).unwrap()
    }

    #[test]
    fn no_key_is_needed() {
        let wanted = json!({
            "environment": null, "backend": "auto", "build_architecture": null, "task_configuration": null,
        });
        assert_eq!(serde_json::to_value(place(&json!({}))).unwrap(), wanted);
        let all = json!({
            "environment": 1, "backend": "qemu", "build_architecture": "amd64", "task_configuration": {"a": [1]},
        });
        assert_eq!(serde_json::to_value(place(&all)).unwrap(), all);
    }

    #[test]
    fn needs_its_tools_on_the_worker_or_else_an_executor() {
        let keys = |data: Value| {
            let tools = vec![
                Requirement::equals("x:available", true),
                Requirement::equals("x:more", true),
            ];
            let requirements = place(&data).requirements(tools);
            let keys = requirements
                .iter()
                .map(|each| each.key().as_str().to_owned());
            keys.collect::<Vec<_>>()
        };
        assert_eq!(keys(json!({})), ["x:available", "x:more"]);
        for (backend, key) in [
            ("auto", "executor:unshare:available"),
            ("unshare", "executor:unshare:available"),
            ("incus-vm", "executor:incus-vm:available"),
        ] {
            let sid = "debian/match:codename=sid";
            let data = json!({"environment": sid, "backend": backend});
            assert_eq!(keys(data), [key]);
        }
    }

    #[test]
    fn is_strict_unless_an_environment_is_unpacked() {
        assert_eq!(place(&json!({})).confinement(), Confinement::Strict);
        let inside = json!({"environment": 1});
        assert_eq!(place(&inside).confinement(), Confinement::Limits);
    }

    #[test]
    fn a_task_may_take_backend_auto_alone() {
        assert!(place(&json!({})).another_than_auto().is_none());
        let fault = place(&json!({"backend": "unshare"})).another_than_auto();
        assert_eq!(fault.unwrap().to_string(), "/backend: must be `auto`");
    }

    #[test]
    fn the_environment_is_one_of_the_architecture() {
        if let Some(why) = crate::why_not_unshare() {
            taskbay_test::skip(why);
            return;
        }
        let top = tempfile::tempdir().unwrap();
        let server = Arc::new(FakeServer::new(Vec::new()));
        let context = Context::new(top.path(), Abort::new()).with_server(server);
        let sid = "debian/match:codename=sid";
        let old = "arm64".to_owned();
        let plain = place(&json!({"environment": sid}));
        let amd64 = place(&json!({"environment": sid, "build_architecture": "amd64"}));
        for (place, old, wanted) in [
            (&plain, None, sid.to_owned()),
            (&amd64, None, format!("{sid}:architecture=amd64")),
            (&plain, Some(&old), format!("{sid}:architecture=arm64")),
            (&amd64, Some(&old), format!("{sid}:architecture=amd64")),
        ] {
            let error = place.executor_with(old, &context, &[]).unwrap_err();
            assert_eq!(error.message(), format!("no artifact {wanted}"));
        }
        assert!(plain.conflict(Some(&old)).is_none());
        let fault = amd64.conflict(Some(&old)).unwrap().to_string();
        let wanted = "/host_architecture: is the old name";
        assert!(fault.starts_with(wanted), "{fault}");
        // Without one, nobody is asked for any.
        let executor = place(&json!({})).executor(&context, &["x"]).unwrap();
        assert_eq!(executor.artifact(), None);
    }
}
