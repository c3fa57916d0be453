//! A task of usual size: ten fields, four requirements, and a verdict of its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taskbay_plugin_api::{Context, Lookup, Metadata, Refusal, Requirement, Task, TaskError};

/// What a work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measured {
    /// The source package.
    input: Lookup,
    /// The suite to build for.
    suite: String,
    /// The components of the suite.
    #[serde(default)]
    components: Vec<String>,
    /// The build profiles.
    #[serde(default)]
    profiles: Vec<String>,
    /// How much memory it needs, in MiB.
    #[serde(default = "memory")]
    memory: u64,
    /// How much room on disk it needs, in MiB.
    #[serde(default = "disk")]
    disk: u64,
    /// How many jobs run at once.
    #[serde(default)]
    jobs: Option<u32>,
    /// Whether the network may be used.
    #[serde(default)]
    network: bool,
    /// What runs the commands.
    #[serde(default)]
    backend: Backend,
    /// A text for people.
    #[serde(default)]
    comment: Option<String>,
}

/// What runs the commands.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Backend {
    /// User namespaces.
    #[default]
    Unshare,
    /// A virtual machine.
    Qemu,
}

fn memory() -> u64 {
    1024
}

fn disk() -> u64 {
    4096
}

impl Task for Measured {
    // The benchmarks make a thousand plugins of this one by replacing the digits, which must not stand at the end: a
    // compiler may keep the last bytes of a text among its instructions.
    const NAME: &'static str = "bench-000000-with-a-name-that-is-sixty-four-bytes-long-in-a-file";
    const VERSION: u32 = 1;
    const HAS_CAN_RUN_ON: bool = true;

    fn requirements(&self) -> Vec<Requirement> {
        vec![
            Requirement::equals("bench:available", true).because("the tool is not installed"),
            Requirement::contains("system:architectures", "amd64"),
            Requirement::at_least("system:cpu_count", 2.0),
            Requirement::one_of("system:distribution", ["bookworm", "trixie", "sid"]),
        ]
    }

    fn can_run_on(&self, worker: &Metadata) -> Result<(), Refusal> {
        let has = |key: &str, wanted: u64| match worker.value(key) {
            Some(found) => found.as_u64() >= Some(wanted),
            None => false,
        };
        let memory = (!has("system:memory", self.memory)).then_some("it has too little memory");
        let disk = (!has("system:disk", self.disk)).then_some("it has too little room on disk");
        match (memory, disk) {
            (None, None) => Ok(()),
            (Some(one), None) | (None, Some(one)) => Err(Refusal::new(one)),
            (Some(one), Some(other)) => Err(Refusal::new(one).and(other)),
        }
    }

    fn execute(&self, _: &Context) -> Result<bool, TaskError> {
        Ok(true)
    }
}
