//! What an autopkgtest work request may say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use taskbay_debian::InEnvironment;
use taskbay_plugin_api::{Lookup, Lookups, TaskConfigError};

/// What an autopkgtest work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(example = json!({
    "input": {"source_artifact": "./hello_2.10-3.dsc", "binary_artifacts": ["./hello_2.10-3_amd64.deb"]},
    "environment": "debian/match:codename=bookworm",
    "build_architecture": "amd64"
}))]
pub(crate) struct Autopkgtest {
    /// What is tested.
    pub(crate) input: Input,
    /// Where it runs.
    #[serde(flatten)]
    pub(crate) place: InEnvironment,
    /// The tests to run; all, if none is named here.
    #[serde(default)]
    pub(crate) include_tests: Vec<String>,
    /// Tests not to run.
    #[serde(default)]
    pub(crate) exclude_tests: Vec<String>,
    /// How much autopkgtest says of what it does.
    #[serde(default)]
    #[schemars(range(max = 3))]
    pub(crate) debug_level: u8,
    /// Whether packages of the environment's own release are preferred to those of further repositories.
    #[serde(default)]
    pub(crate) use_packages_from_base_repository: bool,
    /// Variables that the tests see.
    #[serde(default)]
    pub(crate) extra_environment: BTreeMap<String, String>,
    /// What becomes of tests that need the Internet.
    #[serde(default)]
    pub(crate) needs_internet: NeedsInternet,
    /// Which tests make the task fail.
    #[serde(default)]
    pub(crate) fail_on: FailOn,
    /// Limits in seconds, and a factor on them.
    #[serde(default)]
    pub(crate) timeout: Option<Timeout>,
    /// Packages to take from other releases: of each, their names, as autopkgtest knows them.
    #[serde(default)]
    pub(crate) pin_packages: BTreeMap<String, Vec<String>>,
}

/// What is tested.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The source package, which has the tests.
    pub(crate) source_artifact: Lookup,
    /// The binary packages that are tested.
    pub(crate) binary_artifacts: Lookups,
    /// Artifacts that the tests are run because of; they are not used.
    #[serde(default)]
    pub(crate) context_artifacts: Lookups,
}

/// What becomes of tests that need the Internet.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NeedsInternet {
    /// They run.
    #[default]
    Run,
    /// They run, and may fail.
    Try,
    /// They are skipped.
    Skip,
}

/// Which tests make the task fail.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FailOn {
    /// Those that fail.
    pub(crate) failed_test: bool,
    /// Those that fail, and are known to do so now and then.
    pub(crate) flaky_test: bool,
    /// Those that are skipped.
    pub(crate) skipped_test: bool,
}

impl Default for FailOn {
    fn default() -> Self {
        Self {
            failed_test: true,
            flaky_test: false,
            skipped_test: false,
        }
    }
}

/// Limits in seconds, and a factor on them.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Timeout {
    /// For all together.
    #[serde(default)]
    global: Option<u64>,
    /// What all others are multiplied with.
    #[serde(default)]
    factor: Option<u64>,
    /// For short commands.
    #[serde(default)]
    short: Option<u64>,
    /// For installing packages.
    #[serde(default)]
    install: Option<u64>,
    /// For one test.
    #[serde(default)]
    test: Option<u64>,
    /// For copying files.
    #[serde(default)]
    copy: Option<u64>,
}

impl Timeout {
    /// Those that are given, by their names.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let all = [
            ("global", self.global),
            ("factor", self.factor),
            ("short", self.short),
            ("install", self.install),
            ("test", self.test),
            ("copy", self.copy),
        ];
        all.into_iter()
            .filter_map(|(name, limit)| Some((name, limit?)))
    }
}

impl Autopkgtest {
    /// The architecture to test on; empty only where [`faults`](Self::faults) says so.
    pub(crate) fn architecture(&self) -> &str {
        self.place.architecture().unwrap_or_default()
    }

    /// What is wrong beyond what the schema says.
    pub(crate) fn faults(&self) -> Vec<TaskConfigError> {
        let mut faults = self.place.faults_with_architecture();
        for name in self.extra_environment.keys() {
            if name.is_empty() || name.contains(['=', '\0']) {
                let message = format!("`{name}` is no name of a variable");
                faults.push(TaskConfigError::new("/extra_environment", message));
            }
        }
        faults
    }
}
