//! What plugins have failed at: it is asked about after all else.

use crate::setbacks;
use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    time::Instant,
};
use taskbay_core::TaskName;
use taskbay_engine::MissingVerdict;

/// How many signatures, or metadata, are remembered.
const MOST: usize = 10_000;
/// How often a task's plugin may fail until others come before whatever it was not asked about yet.
const OFTEN: u32 = 3;

/// The requests and the workers at which plugins failed. Either may be to blame, so that both come after all others of their
/// task: a bad request hides no good one, nor a bad worker. A request that is to blame is left alone for a while, too, and
/// longer each time, since its task's plugin is asked about others no more when it has failed often. A plugin that fails at
/// whatever it is asked comes after those of other tasks.
#[derive(Debug, Default)]
pub(super) struct Failed {
    signatures: HashMap<String, Doubt>,
    metadata: HashMap<(TaskName, String), Doubt>,
    /// How often the plugins of tasks have failed since they answered.
    tasks: HashMap<TaskName, u32>,
    given_up: BTreeSet<TaskName>,
}

/// What is known of a request, or of a worker.
#[derive(Debug, Default)]
struct Doubt {
    /// How often a plugin failed at it since it answered.
    count: u32,
    /// Until when it is left alone.
    until: Option<Instant>,
    /// Whether a plugin has answered, so that the other one is to blame.
    is_proven: bool,
}

impl Doubt {
    fn fails(&mut self, now: Instant) {
        self.until = Some(now + setbacks::wait(self.count));
        self.count += 1;
    }

    fn is_bad(&self) -> bool {
        !self.is_proven && self.count > 0
    }

    fn is_left_alone(&self, now: Instant) -> bool {
        !self.is_proven && self.until.is_some_and(|until| now < until)
    }
}

impl Failed {
    /// A plugin failed at that pair.
    pub(super) fn add(&mut self, pair: &MissingVerdict, now: Instant) {
        let (signature, metadata) = self.doubts(pair);
        // It is not the worker, nor every worker.
        if signature.is_proven && metadata.is_proven {
            signature.is_proven = false;
        }
        signature.fails(now);
        metadata.fails(now);
        make_room(&mut self.tasks, |_| true);
        *self.tasks.entry(pair.task_name.clone()).or_default() += 1;
    }

    /// A plugin that is asked nothing else has configured a request.
    pub(super) fn has_configured(&mut self, task: &TaskName) {
        self.tasks.remove(task);
    }

    /// A plugin answered.
    pub(super) fn has_answered(&mut self, pair: &MissingVerdict) {
        self.tasks.remove(&pair.task_name);
        let (signature, metadata) = self.doubts(pair);
        for doubt in [signature, metadata] {
            *doubt = Doubt {
                is_proven: true,
                ..Doubt::default()
            };
        }
    }

    fn doubts(&mut self, pair: &MissingVerdict) -> (&mut Doubt, &mut Doubt) {
        make_room(&mut self.signatures, |doubt| doubt.count > 0);
        make_room(&mut self.metadata, |doubt| doubt.count > 0);
        (
            self.signatures.entry(pair.signature.clone()).or_default(),
            self.metadata.entry(worker_of(pair)).or_default(),
        )
    }

    /// How late that pair comes.
    pub(super) fn rank(&self, pair: &MissingVerdict) -> u32 {
        let signature = self.signatures.get(&pair.signature);
        let metadata = self.metadata.get(&worker_of(pair));
        let count = |doubt: Option<&Doubt>| doubt.map_or(0, |doubt| doubt.count);
        let of_task = self.tasks.get(&pair.task_name).copied();
        let of_task = of_task.filter(|count| *count >= OFTEN).unwrap_or(0);
        let of_pair = count(signature).saturating_add(count(metadata));
        of_pair.saturating_add(of_task)
    }

    /// Whether a plugin is asked about that pair now. Of what is to blame, be it a request or a worker of which a request is
    /// not that was found to be good, a task is asked about one until it fails, and `is_waiting` from then on: so they leave
    /// it the failures that it may have until it is given up. What was not asked about yet always is: whichever requests were
    /// bad, the next may be a good one.
    pub(super) fn is_asked(&self, pair: &MissingVerdict, is_waiting: bool, now: Instant) -> bool {
        let signature = self.signatures.get(&pair.signature);
        let doubt = if signature.is_some_and(|signature| signature.is_proven) {
            self.metadata.get(&worker_of(pair))
        } else {
            signature
        };
        let is_left =
            doubt.is_some_and(|doubt| doubt.is_left_alone(now) || is_waiting && doubt.is_bad());
        !is_left && !self.has_given_up(&pair.task_name)
    }

    /// The plugin of that task is asked no more until it is time to. What it was not asked about is recorded by nobody, since
    /// another scheduler may have a good one.
    pub(super) fn give_up(&mut self, task: &TaskName) {
        self.given_up.insert(task.clone());
    }

    pub(super) fn has_given_up(&self, task: &TaskName) -> bool {
        self.given_up.contains(task)
    }

    /// The plugins of those tasks are asked again. Says whether there are any.
    pub(super) fn ask_again(&mut self, is_due: impl Fn(&TaskName) -> bool) -> bool {
        let before = self.given_up.len();
        self.given_up.retain(|task| !is_due(task));
        self.given_up.len() < before
    }
}

/// What is known to be good goes first, however much of it there is: it costs no more than before to be asked about again.
fn make_room<K: Eq + Hash, V>(known: &mut HashMap<K, V>, is_bad: impl Fn(&V) -> bool) {
    if known.len() >= MOST {
        known.retain(|_, of_it| is_bad(of_it));
    }
    if known.len() >= MOST {
        known.clear();
    }
}

fn worker_of(pair: &MissingVerdict) -> (TaskName, String) {
    (pair.task_name.clone(), pair.metadata_hash.clone())
}

#[cfg(test)]
mod tests;
