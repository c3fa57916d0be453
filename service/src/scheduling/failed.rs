//! What plugins have failed at: it is asked about after all else.

use crate::setbacks;
use std::{
    collections::{BTreeSet, HashMap},
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
        if self.tasks.len() >= MOST {
            self.tasks.clear();
        }
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
        if self.signatures.len() >= MOST || self.metadata.len() >= MOST {
            self.signatures.clear();
            self.metadata.clear();
        }
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

    /// Whether nobody is asked about that signature for now. About no worker: whichever requests were bad, the next may be a
    /// good one.
    pub(super) fn is_left_alone(&self, signature: &str, now: Instant) -> bool {
        let doubt = self.signatures.get(signature);
        doubt.is_some_and(|doubt| doubt.is_left_alone(now))
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

    /// Of none of the workers that others are of.
    fn of_other_task(signature: u32) -> MissingVerdict {
        MissingVerdict {
            task_name: TaskName::fold("other").unwrap(),
            ..pair(100 + signature, signature)
        }
    }

    /// However many requests it has: each is another one.
    #[test]
    fn what_fails_at_everything_keeps_no_other_task_waiting() {
        let (mut failed, now) = (Failed::default(), Instant::now());
        for signature in 0..2 {
            failed.add(&pair(signature, signature), now);
        }
        assert_eq!(failed.rank(&pair(9, 9)), 0, "it may be the requests");
        failed.add(&pair(2, 2), now);
        assert!(failed.rank(&pair(9, 9)) > failed.rank(&of_other_task(8)));
        // Those that were bad come last all the same.
        assert!(failed.rank(&pair(2, 2)) > failed.rank(&pair(9, 9)));
        // It answers.
        failed.has_answered(&pair(9, 9));
        assert_eq!(failed.rank(&pair(8, 8)), 0);
        // So does one that is asked about requests alone.
        (0..3).for_each(|_| failed.add(&of_other_task(1), now));
        assert!(failed.rank(&of_other_task(2)) > 0);
        failed.has_configured(&of_other_task(1).task_name);
        assert_eq!(failed.rank(&of_other_task(2)), 0);
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
            failed.add(&pair(signature, worker), Instant::now());
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
    /// A bad request is asked about once in a while, for however many workers; and no good one for a bad worker.
    #[test]
    fn a_request_that_is_to_blame_is_left_alone() {
        let (mut failed, begun) = (Failed::default(), Instant::now());
        let after = |seconds| begun + std::time::Duration::from_secs(seconds);
        failed.has_answered(&pair(1, 0));
        failed.add(&pair(2, 0), begun);
        assert!(failed.is_left_alone("2", begun) && !failed.is_left_alone("1", begun));
        assert!(!failed.is_left_alone("2", after(1)));
        failed.add(&pair(2, 1), after(1));
        assert!(failed.is_left_alone("2", after(2)) && !failed.is_left_alone("2", after(3)));
        // The worker is bad.
        failed.add(&pair(1, 30), begun);
        assert!(!failed.is_left_alone("1", begun));
        // Neither is for all others.
        failed.has_answered(&pair(4, 5));
        failed.has_answered(&pair(5, 4));
        failed.add(&pair(4, 4), begun);
        assert!(failed.is_left_alone("4", begun) && !failed.is_left_alone("5", begun));
    }
}
