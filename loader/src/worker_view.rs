//! A worker's metadata as one plugin sees it.

use crate::plugin::{reply, to_json};
use abi_stable::std_types::RStr;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};
use taskbay_core::Metadata;
use taskbay_plugin_api::host::{Fault, ParsedWorkerBox, TaskModuleRef};

/// A worker's metadata for verdicts of one plugin. Make one per distinct metadata and plugin, and keep it: the plugin
/// parses the metadata once, and only when its own code is asked.
pub struct WorkerView {
    metadata: Arc<Metadata>,
    module: TaskModuleRef,
    parsed: OnceLock<Result<ParsedWorkerBox, Fault>>,
}

impl WorkerView {
    pub(crate) fn new(module: TaskModuleRef, metadata: Arc<Metadata>) -> Self {
        Self {
            metadata,
            module,
            parsed: OnceLock::new(),
        }
    }

    /// The metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The metadata as the plugin parsed it.
    pub(crate) fn parsed(&self) -> Result<&ParsedWorkerBox, &Fault> {
        self.parsed
            .get_or_init(|| {
                let text = to_json(&self.metadata)?;
                reply(self.module.parse_worker()(RStr::from_str(&text)))
            })
            .as_ref()
    }
}

impl fmt::Debug for WorkerView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerView")
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}
