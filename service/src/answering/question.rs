//! What can be asked.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeSet};
use taskbay_core::{Metadata, TaskName};
use taskbay_scheduler::{Lists, Worker};

/// A question: a JSON object in a line, whose only key says which.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Question<'q> {
    /// Which plugin files there are.
    Tasks {
        /// The generation that whoever asks knows already.
        #[serde(default)]
        known: Option<u64>,
    },
    /// What data a task takes.
    Schema {
        #[serde(borrow)]
        task: Cow<'q, str>,
    },
    /// Whether data is valid.
    Configure {
        #[serde(borrow)]
        task: Cow<'q, str>,
        /// As it is written, so that the plugin gets what a worker's would get.
        data: Box<RawValue>,
    },
    /// Whether a worker may execute a task with that data.
    CanRun {
        #[serde(borrow)]
        task: Cow<'q, str>,
        data: Box<RawValue>,
        worker: Metadata,
    },
    /// Who could execute it, who could not, and why not.
    Explain {
        #[serde(borrow)]
        task: Cow<'q, str>,
        data: Box<RawValue>,
        workers: Vec<WorkerAsked>,
    },
    /// What this machine says of itself.
    Analyze {},
}

/// A worker that somebody else has a list of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkerAsked {
    name: String,
    metadata: Metadata,
    #[serde(default)]
    busy: bool,
    #[serde(default)]
    allow: Option<BTreeSet<String>>,
    #[serde(default)]
    deny: BTreeSet<String>,
    /// Why it gets nothing at all.
    #[serde(default)]
    away: Option<String>,
}

impl WorkerAsked {
    /// The worker as it is matched.
    pub(super) fn worker(&self) -> Worker {
        // A name in a list that no task can have is the name of none.
        let names = |names: &BTreeSet<String>| {
            let known = names.iter().filter_map(|name| TaskName::fold(name).ok());
            known.collect()
        };
        let mut worker = Worker::new(&*self.name, self.metadata.clone());
        worker.is_busy = self.busy;
        worker.lists = Lists {
            allow: self.allow.as_ref().map(names),
            deny: names(&self.deny),
            away: self.away.clone(),
        };
        worker
    }
}
