//! What plugins have failed at: it is asked about after all else.

use std::collections::{BTreeSet, HashMap};
use taskbay_core::TaskName;
use taskbay_engine::MissingVerdict;

/// How many signatures, or metadata, are remembered.
const MOST: usize = 10_000;

/// The requests and the workers at which plugins failed. Either may be to blame, so that both come after all others of their
/// task: a bad request hides no good one, nor a bad worker.
#[derive(Debug, Default)]
pub(super) struct Failed {
    signatures: HashMap<String, u32>,
    metadata: HashMap<(TaskName, String), u32>,
    given_up: BTreeSet<TaskName>,
}

impl Failed {
    /// A plugin failed at that pair.
    pub(super) fn add(&mut self, pair: &MissingVerdict) {
        if self.signatures.len() >= MOST || self.metadata.len() >= MOST {
            self.signatures.clear();
            self.metadata.clear();
        }
        *self.signatures.entry(pair.signature.clone()).or_default() += 1;
        *self.metadata.entry(worker_of(pair)).or_default() += 1;
    }

    /// How late that pair comes.
    pub(super) fn rank(&self, pair: &MissingVerdict) -> u32 {
        let signature = self.signatures.get(&pair.signature);
        let metadata = self.metadata.get(&worker_of(pair));
        signature
            .unwrap_or(&0)
            .saturating_add(*metadata.unwrap_or(&0))
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

fn worker_of(pair: &MissingVerdict) -> (TaskName, String) {
    (pair.task_name.clone(), pair.metadata_hash.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn pair(signature: u32, worker: u32) -> MissingVerdict {
        MissingVerdict {
            signature: signature.to_string(),
            task_name: TaskName::fold("task").unwrap(),
            example: 0,
            priority: 0,
            metadata_hash: worker.to_string(),
            metadata: Arc::default(),
        }
    }

    /// How many failures it takes until a good pair is asked about, of 9 requests and 21 workers.
    fn failures(is_bad: impl Fn(u32, u32) -> bool) -> u32 {
        let mut failed = Failed::default();
        let mut missing: Vec<_> = (0..9)
            .flat_map(|signature| (0..21).map(move |worker| (signature, worker)))
            .collect();
        for count in 0.. {
            missing.sort_by_key(|(signature, worker)| failed.rank(&pair(*signature, *worker)));
            let (signature, worker) = missing.remove(0);
            if !is_bad(signature, worker) {
                return count;
            }
            failed.add(&pair(signature, worker));
        }
        unreachable!("there is a good one");
    }

    /// However many pairs bad requests and bad workers make.
    #[test]
    fn the_good_come_before_what_was_bad() {
        assert_eq!(failures(|signature, _| signature < 8), 8);
        assert_eq!(failures(|_, worker| worker < 20), 20);
        let of_188 = failures(|signature, worker| signature < 8 || worker < 20);
        assert!(of_188 < 70, "{of_188}");
    }
}
