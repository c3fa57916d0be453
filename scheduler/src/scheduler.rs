//! Requests and workers, and who gets what.

use crate::{
    Explanation, Judge, Matchable, NotAsked, Pending, Worker,
    backlog::Backlog,
    bits::Bits,
    choice::{Choice, Idle},
    explanation,
    fleet::Fleet,
    signatures::Signatures,
};
use serde::{Deserialize, Serialize};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    signatures: Signatures,
    fleet: Fleet,
    backlog: Backlog,
}

impl Scheduler {
    /// Makes a signature known, and names it. What is known already keeps its name.
    pub fn add_task(&mut self, task: Matchable) -> SignatureId {
        self.signatures.add(task)
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
            self.signatures.forget(&gone);
        }
    }

    /// Removes a worker.
    pub fn remove_worker(&mut self, name: &str) {
        if let Some(gone) = self.fleet.remove(name) {
            self.signatures.forget(&gone);
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
        let mut heads = BinaryHeap::new();
        // Signatures that the same classes suit take from the same workers.
        let mut choices: Vec<Choice> = Vec::new();
        let mut by_classes: HashMap<Bits, usize> = HashMap::new();
        let mut classes = Bits::default();
        for (first, signature) in self.backlog.fronts() {
            classes.clone_from(self.fleet.idle_classes());
            self.signatures
                .narrow(signature, &mut classes, &self.fleet, judge)?;
            if classes.is_empty() {
                continue;
            }
            let choice = by_classes.get(&classes).copied().unwrap_or_else(|| {
                by_classes.insert(classes.clone(), choices.len());
                choices.push(Choice::of(classes.clone()));
                choices.len() - 1
            });
            heads.push((first, signature, choice));
        }
        let mut idle = Idle::of(&self.fleet);
        let mut assignments = Vec::new();
        while let Some((first, signature, choice)) = heads.pop() {
            // Once there is none, there will be none for what is behind it.
            let Some(worker) = choices[choice].take(&mut idle) else {
                continue;
            };
            let next = self.backlog.take(signature);
            assignments.push(self.assign(first.request, worker));
            heads.extend(next.map(|next| (next, signature, choice)));
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
        let Some((worker, class)) = self.fleet.idle().get_key_value(worker) else {
            return Ok(None);
        };
        let (worker, class) = (Arc::clone(worker), *class);
        let mut found = None;
        for (first, signature) in self.backlog.fronts() {
            if self
                .signatures
                .suits(signature, class, &self.fleet, judge)?
            {
                found = Some((first, signature));
                break;
            }
        }
        Ok(found.map(|(first, signature)| {
            self.backlog.take(signature);
            self.assign(first.request, worker)
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
        let mut classes = self.fleet.idle_classes().clone();
        self.signatures
            .narrow(signature, &mut classes, &self.fleet, judge)?;
        let mut idle = self.fleet.idle().iter();
        // Without a look at each of them where none will do.
        let found = (!classes.is_empty())
            .then(|| idle.find(|(_, class)| classes.contains(**class)))
            .flatten();
        let Some((worker, _)) = found else {
            self.add(signature, [request]);
            return Ok(None);
        };
        let worker = Arc::clone(worker);
        // One that waited waits no more.
        self.backlog.remove(request.request);
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
        let mut classes = Bits::default();
        for (id, _) in self.fleet.classes() {
            classes.insert(id);
        }
        self.signatures
            .narrow(signature, &mut classes, &self.fleet, judge)?;
        let idle = self.fleet.idle_classes();
        Ok(if classes.iter().any(|class| idle.contains(class)) {
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
        let mut judged = BTreeMap::new();
        for (id, class) in self.fleet.classes() {
            if let Some(verdict) = self.signatures.verdict(signature, class, judge)? {
                judged.insert(id, Arc::clone(verdict));
            }
        }
        let task = self.signatures.task(signature);
        Ok(task.map(|task| explanation::of(task, &self.fleet, outlook, &judged)))
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
        let Some((_, class)) = self.fleet.class_of_worker(worker) else {
            return Ok(None);
        };
        let Some(verdict) = self.signatures.verdict(signature, class, judge)? else {
            return Ok(None);
        };
        let mut verdict = Verdict::clone(verdict);
        let task = self.signatures.task(signature);
        let reasons = task.map(|task| class.lists.reasons(task.conditions().task()));
        verdict.reasons.extend(reasons.into_iter().flatten());
        Ok(Some(verdict))
    }

    /// Has each plugin asked again that could not be asked.
    pub fn forget_failed(&mut self) {
        self.signatures.forget_failed();
    }

    /// Forgets a signature, with what was judged and what waits with it. Whoever keeps a scheduler for long calls it once
    /// no request has the signature any more, or its plugin was replaced.
    pub fn forget_task(&mut self, signature: SignatureId) {
        self.backlog.remove_all(signature);
        self.signatures.remove(signature);
    }

    fn assign(&mut self, request: u64, worker: Arc<str>) -> Assignment {
        self.fleet.set_busy(&worker, true);
        Assignment { request, worker }
    }
}
