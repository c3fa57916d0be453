//! Metadata of workers that are not there.

use serde_json::{Value, json};
use taskbay_plugin_api::{Metadata, Task};

/// Builds the metadata of a worker: of a usual one, with what a test says.
#[derive(Clone, Debug)]
pub struct WorkerMetadata(serde_json::Map<String, Value>);

impl WorkerMetadata {
    /// A worker for amd64 that offers no task.
    pub fn new() -> Self {
        let metadata = Self(serde_json::Map::new());
        metadata
            .with("system:cpu_count", 4)
            .with("system:total_physical_memory", 8_u64 << 30)
            .with("system:worker_type", "external")
            .with("system:host_architecture", "amd64")
            .with("system:architectures", json!(["amd64"]))
    }

    /// A worker for amd64 that offers this task in its version.
    pub fn offering<T: Task>() -> Self {
        Self::new().with(&format!("{}:version", T::NAME), T::VERSION)
    }

    /// With that value under that key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Without that key.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.0.remove(key);
        self
    }

    /// The metadata.
    pub fn build(self) -> Metadata {
        self.0.into()
    }
}

impl Default for WorkerMetadata {
    fn default() -> Self {
        Self::new()
    }
}
