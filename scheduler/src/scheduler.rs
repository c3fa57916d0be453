//! Requests and workers, and who gets what.

use crate::{
    Explanation, Judge, Matchable, NotAsked, Pending, Signature, Worker,
    backlog::Backlog,
    explanation,
    fleet::{Class, ClassId, Fleet},
    verdicts::Verdicts,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BinaryHeap, HashMap},
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
    tasks: HashMap<SignatureId, Matchable>,
    /// How many signatures ever became known: no name is given twice.
    named: usize,
    by_signature: HashMap<Signature, SignatureId>,
    fleet: Fleet,
    backlog: Backlog,
    verdicts: Verdicts,
}

impl Scheduler {
    /// Makes a signature known, and names it. What is known already keeps its name.
    pub fn add_task(&mut self, task: Matchable) -> SignatureId {
        if let Some(known) = self.by_signature.get(task.signature()) {
            return *known;
        }
        let id = SignatureId(self.named);
        self.named += 1;
        self.by_signature.insert(task.signature().clone(), id);
        self.tasks.insert(id, task);
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
    ///
    /// # Errors
    ///
    /// When no plugin can be asked; then nothing is assigned.
    pub fn pass(&mut self, judge: &mut dyn Judge) -> Result<Vec<Assignment>, NotAsked> {
        let mut assignments = Vec::new();
        let mut fitting: HashMap<SignatureId, Vec<ClassId>> = HashMap::new();
        let mut heads = BinaryHeap::new();
        for signature in self.backlog.signatures() {
            let classes = self.fitting(signature, judge, |class| !class.idle.is_empty())?;
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
        Ok(assignments)
    }

    /// Gives an idle worker the first request that it can execute: what there is to do when one becomes idle.
    ///
    /// # Errors
    ///
    /// When no plugin can be asked; then nothing is assigned.
    pub fn feed(
        &mut self,
        worker: &str,
        judge: &mut dyn Judge,
    ) -> Result<Option<Assignment>, NotAsked> {
        let Some((id, class)) = self.fleet.class_of_worker(worker) else {
            return Ok(None);
        };
        let Some(name) = class.idle.get(worker).cloned() else {
            return Ok(None);
        };
        let mut best: Option<(Pending, SignatureId)> = None;
        for signature in self.backlog.signatures() {
            let Some(first) = self.backlog.first(signature) else {
                continue;
            };
            if best.is_none_or(|(best, _)| first > best) && self.suits(signature, id, judge)? {
                best = Some((first, signature));
            }
        }
        Ok(best.map(|(first, signature)| {
            self.backlog.take(signature);
            self.assign(first.request, name)
        }))
    }

    /// Gives a request that has just come to an idle worker, or has it wait: what there is to do when one arrives.
    ///
    /// Those that wait already are not looked at: call [`pass`](Self::pass) first.
    ///
    /// # Errors
    ///
    /// When no plugin can be asked; then it does not wait, either.
    pub fn place(
        &mut self,
        signature: SignatureId,
        request: Pending,
        judge: &mut dyn Judge,
    ) -> Result<Option<Assignment>, NotAsked> {
        let classes = self.fitting(signature, judge, |class| !class.idle.is_empty())?;
        let Some(worker) = self.first_idle(&classes) else {
            self.add(signature, [request]);
            return Ok(None);
        };
        Ok(Some(self.assign(request.request, worker)))
    }

    /// What requests with a signature can expect.
    ///
    /// # Errors
    ///
    /// When no plugin can be asked.
    pub fn outlook(
        &mut self,
        signature: SignatureId,
        judge: &mut dyn Judge,
    ) -> Result<Outlook, NotAsked> {
        let classes = self.fitting(signature, judge, |_| true)?;
        Ok(if self.first_idle(&classes).is_some() {
            Outlook::Runnable
        } else if classes.is_empty() {
            Outlook::Never
        } else {
            Outlook::Busy
        })
    }

    /// Says who could execute requests with a signature, who could not, and why not; `None` where it is not known.
    ///
    /// # Errors
    ///
    /// When no plugin can be asked.
    pub fn explain(
        &mut self,
        signature: SignatureId,
        judge: &mut dyn Judge,
    ) -> Result<Option<Explanation>, NotAsked> {
        let outlook = self.outlook(signature, judge)?;
        let Self {
            tasks,
            fleet,
            verdicts,
            ..
        } = self;
        let Some(task) = tasks.get(&signature) else {
            return Ok(None);
        };
        let mut judged = BTreeMap::new();
        for (id, class) in fleet.classes() {
            let metadata = (class.metadata_id, &*class.metadata);
            let verdict = verdicts.of((signature, task), metadata, judge)?;
            judged.insert(id, Arc::clone(verdict));
        }
        Ok(Some(explanation::of(task, fleet, outlook, &judged)))
    }

    /// Whether a worker suits, with the reasons if not; `None` where it, or the signature, is not known.
    ///
    /// # Errors
    ///
    /// When no plugin can be asked.
    pub fn verdict(
        &mut self,
        signature: SignatureId,
        worker: &str,
        judge: &mut dyn Judge,
    ) -> Result<Option<Verdict>, NotAsked> {
        let found = self.fleet.class_of_worker(worker);
        let (Some((_, class)), Some(task)) = (found, self.tasks.get(&signature)) else {
            return Ok(None);
        };
        let metadata = (class.metadata_id, &*class.metadata);
        let mut verdict = Verdict::clone(self.verdicts.of((signature, task), metadata, judge)?);
        verdict
            .reasons
            .extend(class.lists.reason(task.conditions().task()));
        Ok(Some(verdict))
    }

    /// Has each plugin asked again that could not be asked.
    pub fn forget_failed(&mut self) {
        self.verdicts.forget_failed();
    }

    /// Forgets a signature, with what was judged and what waits with it. Whoever keeps a scheduler for long calls it once
    /// no request has the signature any more, or its plugin was replaced.
    pub fn forget_task(&mut self, signature: SignatureId) {
        self.verdicts.forget_task(signature);
        self.backlog.remove_all(signature);
        if let Some(task) = self.tasks.remove(&signature) {
            self.by_signature.remove(task.signature());
        }
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
    ) -> Result<Vec<ClassId>, NotAsked> {
        let wanted = self.fleet.classes().filter(|(_, class)| wanted(class));
        let wanted: Vec<_> = wanted.map(|(id, _)| id).collect();
        let mut fitting = Vec::new();
        for id in wanted {
            if self.suits(signature, id, judge)? {
                fitting.push(id);
            }
        }
        Ok(fitting)
    }

    fn suits(
        &mut self,
        signature: SignatureId,
        class: ClassId,
        judge: &mut dyn Judge,
    ) -> Result<bool, NotAsked> {
        let (Some(class), Some(task)) = (self.fleet.class(class), self.tasks.get(&signature))
        else {
            return Ok(false);
        };
        // Quicker to find out than what the reasons are, which only those need who ask for them.
        if !task.conditions().hold(&class.metadata) || !class.lists.permit(task.conditions().task())
        {
            return Ok(false);
        }
        if !task.has_own_code() {
            return Ok(true);
        }
        let metadata = (class.metadata_id, &*class.metadata);
        let verdict = self.verdicts.of((signature, task), metadata, judge)?;
        Ok(verdict.can_run())
    }
}
