//! Requests and workers, and who gets what.

use crate::{
    Explanation, Judge, Matchable, Pending, Signature, Worker,
    backlog::Backlog,
    explanation,
    fleet::{Class, ClassId, Fleet},
    verdicts::Verdicts,
};
use serde::Serialize;
use std::{
    collections::{BinaryHeap, HashMap},
    sync::Arc,
};
use taskbay_core::Verdict;

/// Names a signature that a [`Scheduler`] knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureId(pub(crate) usize);

/// A worker that shall execute a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The request's number.
    pub request: u64,
    /// The worker's name.
    pub worker: Arc<str>,
}

/// What a request can expect of the workers that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outlook {
    /// It fits none.
    Never,
    /// It fits only busy ones.
    Busy,
    /// It fits an idle one.
    Runnable,
}

/// Requests and workers, and who gets what.
///
/// What it costs follows the distinct signatures and the distinct metadata, not the requests and the workers.
#[derive(Debug, Default)]
pub struct Scheduler {
    tasks: Vec<Matchable>,
    by_signature: HashMap<Signature, SignatureId>,
    fleet: Fleet,
    backlog: Backlog,
    verdicts: Verdicts,
}

impl Scheduler {
    /// Makes a signature known, and names it. What is known already keeps its name.
    pub fn add_task(&mut self, task: Matchable) -> SignatureId {
        let next = SignatureId(self.tasks.len());
        let id = *self
            .by_signature
            .entry(task.signature().clone())
            .or_insert(next);
        if id == next {
            self.tasks.push(task);
        }
        id
    }

    /// Adds requests that wait, all with one signature.
    pub fn add(&mut self, signature: SignatureId, waiting: impl IntoIterator<Item = Pending>) {
        self.backlog.add(signature, waiting);
    }

    /// Takes a request out that waits no more.
    pub fn remove(&mut self, request: u64) {
        self.backlog.remove(request);
    }

    /// Adds a worker, or says what it is like now.
    pub fn set_worker(&mut self, worker: Worker) {
        if let Some(gone) = self.fleet.set(worker) {
            self.verdicts.forget(gone);
        }
    }

    /// Removes a worker.
    pub fn remove_worker(&mut self, name: &str) {
        if let Some(gone) = self.fleet.remove(name) {
            self.verdicts.forget(gone);
        }
    }

    /// Notes that a worker is busy now, or idle.
    pub fn set_busy(&mut self, worker: &str, is_busy: bool) {
        self.fleet.set_busy(worker, is_busy);
    }

    /// Gives the idle workers what waits: priority first, then age. A request that fits no idle worker holds up none
    /// behind it. What is assigned waits no more, and its worker is busy.
    pub fn pass(&mut self, judge: &mut dyn Judge) -> Vec<Assignment> {
        let mut assignments = Vec::new();
        let mut fitting: HashMap<SignatureId, Vec<ClassId>> = HashMap::new();
        let mut heads = BinaryHeap::new();
        for signature in self.backlog.signatures() {
            let classes = self.fitting(signature, judge, |class| !class.idle.is_empty());
            if classes.is_empty() {
                continue;
            }
            fitting.insert(signature, classes);
            heads.extend(
                self.backlog
                    .first(signature)
                    .map(|first| (first, signature)),
            );
        }
        while let Some((first, signature)) = heads.pop() {
            let classes = fitting.get(&signature).map_or(&[][..], Vec::as_slice);
            // Once there is none, there will be none for what is behind it.
            let Some(worker) = self.first_idle(classes) else {
                continue;
            };
            self.backlog.take(signature);
            assignments.push(self.assign(first.request, worker));
            heads.extend(self.backlog.first(signature).map(|next| (next, signature)));
        }
        assignments
    }

    /// Gives an idle worker the first request that it can execute: what there is to do when one becomes idle.
    pub fn feed(&mut self, worker: &str, judge: &mut dyn Judge) -> Option<Assignment> {
        let (id, class) = self.fleet.class_of_worker(worker)?;
        let name = Arc::clone(class.idle.get(worker)?);
        let mut best: Option<(Pending, SignatureId)> = None;
        for signature in self.backlog.signatures() {
            let Some(first) = self.backlog.first(signature) else {
                continue;
            };
            if best.is_none_or(|(best, _)| first > best) && self.suits(signature, id, judge) {
                best = Some((first, signature));
            }
        }
        let (first, signature) = best?;
        self.backlog.take(signature);
        Some(self.assign(first.request, name))
    }

    /// Gives a request that has just come to an idle worker, or has it wait: what there is to do when one arrives.
    ///
    /// Those that wait already are not looked at: call [`pass`](Self::pass) first.
    pub fn place(
        &mut self,
        signature: SignatureId,
        request: Pending,
        judge: &mut dyn Judge,
    ) -> Option<Assignment> {
        let classes = self.fitting(signature, judge, |class| !class.idle.is_empty());
        let Some(worker) = self.first_idle(&classes) else {
            self.add(signature, [request]);
            return None;
        };
        Some(self.assign(request.request, worker))
    }

    /// What requests with a signature can expect.
    pub fn outlook(&mut self, signature: SignatureId, judge: &mut dyn Judge) -> Outlook {
        let classes = self.fitting(signature, judge, |_| true);
        if self.first_idle(&classes).is_some() {
            Outlook::Runnable
        } else if classes.is_empty() {
            Outlook::Never
        } else {
            Outlook::Busy
        }
    }

    /// Says who could execute requests with a signature, who could not, and why not.
    pub fn explain(&mut self, signature: SignatureId, judge: &mut dyn Judge) -> Explanation {
        let outlook = self.outlook(signature, judge);
        let Self {
            tasks,
            fleet,
            verdicts,
            ..
        } = self;
        let task = &tasks[signature.0];
        explanation::of(task, fleet, outlook, |class| {
            let metadata = (class.metadata_id, &*class.metadata);
            Arc::clone(verdicts.of((signature, task), metadata, judge))
        })
    }

    /// Whether a worker suits, with the reasons if not; `None` for one that is not known.
    pub fn verdict(
        &mut self,
        signature: SignatureId,
        worker: &str,
        judge: &mut dyn Judge,
    ) -> Option<Verdict> {
        let (_, class) = self.fleet.class_of_worker(worker)?;
        let task = &self.tasks[signature.0];
        let metadata = (class.metadata_id, &*class.metadata);
        let mut verdict = Verdict::clone(self.verdicts.of((signature, task), metadata, judge));
        verdict
            .reasons
            .extend(class.lists.reason(task.conditions().task()));
        Some(verdict)
    }

    /// Has each plugin asked again that could not be asked.
    pub fn forget_failed(&mut self) {
        self.verdicts.forget_failed();
    }

    /// Forgets what was judged with a signature.
    pub fn forget_task(&mut self, signature: SignatureId) {
        self.verdicts.forget_task(signature);
    }

    fn assign(&mut self, request: u64, worker: Arc<str>) -> Assignment {
        self.fleet.set_busy(&worker, true);
        Assignment { request, worker }
    }

    /// The first of all idle workers of these classes, by name.
    fn first_idle(&self, classes: &[ClassId]) -> Option<Arc<str>> {
        let classes = classes.iter().filter_map(|id| self.fleet.class(*id));
        classes
            .filter_map(|class| class.idle.first())
            .min()
            .cloned()
    }

    /// The classes that a signature fits, of those that are `wanted`.
    fn fitting(
        &mut self,
        signature: SignatureId,
        judge: &mut dyn Judge,
        wanted: impl Fn(&Class) -> bool,
    ) -> Vec<ClassId> {
        let wanted = self.fleet.classes().filter(|(_, class)| wanted(class));
        let wanted: Vec<_> = wanted.map(|(id, _)| id).collect();
        let suits = |id: &ClassId| self.suits(signature, *id, judge);
        wanted.into_iter().filter(suits).collect()
    }

    fn suits(&mut self, signature: SignatureId, class: ClassId, judge: &mut dyn Judge) -> bool {
        let Some(class) = self.fleet.class(class) else {
            return false;
        };
        let task = &self.tasks[signature.0];
        if class.lists.reason(task.conditions().task()).is_some() {
            return false;
        }
        let metadata = (class.metadata_id, &*class.metadata);
        self.verdicts
            .of((signature, task), metadata, judge)
            .can_run()
    }
}
