//! The signatures that are known, and which workers suit them.

use crate::{
    Judge, Matchable, NotAsked, Signature,
    bits::Bits,
    demands::{DemandId, Demands},
    fleet::{Class, ClassId, Fleet, Gone},
    scheduler::SignatureId,
    verdicts::Verdicts,
};
use std::{collections::HashMap, sync::Arc};
use taskbay_core::Verdict;

/// The signatures that are known, and which workers suit them.
#[derive(Debug, Default)]
pub(crate) struct Signatures {
    known: HashMap<SignatureId, Known>,
    /// How many signatures ever became known: no name is given twice.
    named: usize,
    by_content: HashMap<Signature, SignatureId>,
    demands: Demands,
    verdicts: Verdicts,
}

#[derive(Debug)]
struct Known {
    demands: Box<[DemandId]>,
    has_own_code: bool,
    /// Apart from what a pass looks at.
    task: Box<Matchable>,
}

impl Signatures {
    /// Makes a signature known, and names it. What is known already keeps its name.
    pub(crate) fn add(&mut self, task: Matchable) -> SignatureId {
        if let Some(known) = self.by_content.get(task.signature()) {
            return *known;
        }
        let id = SignatureId(self.named);
        self.named += 1;
        self.by_content.insert(task.signature().clone(), id);
        let known = Known {
            demands: self.demands.add(&task),
            has_own_code: task.has_own_code(),
            task: Box::new(task),
        };
        self.known.insert(id, known);
        id
    }

    pub(crate) fn task(&self, signature: SignatureId) -> Option<&Matchable> {
        self.known.get(&signature).map(|known| &*known.task)
    }

    /// Forgets a signature, with what was judged.
    pub(crate) fn remove(&mut self, signature: SignatureId) {
        self.verdicts.forget_task(signature);
        if let Some(known) = self.known.remove(&signature) {
            self.by_content.remove(known.task.signature());
            self.demands.remove(&known.demands);
        }
    }

    /// Forgets what was judged of what no worker has any more.
    pub(crate) fn forget(&mut self, gone: &Gone) {
        self.demands.forget(gone.class);
        if let Some(metadata) = gone.metadata {
            self.verdicts.forget(metadata);
        }
    }

    /// Forgets the verdicts for which a plugin could not be asked.
    pub(crate) fn forget_failed(&mut self) {
        self.verdicts.forget_failed();
    }

    /// Keeps the classes of workers that suit.
    pub(crate) fn narrow(
        &mut self,
        signature: SignatureId,
        classes: &mut Bits,
        fleet: &Fleet,
        judge: &mut dyn Judge,
    ) -> Result<(), NotAsked> {
        let Some(known) = self.known.get(&signature) else {
            *classes = Bits::default();
            return Ok(());
        };
        let demands = (&*known.demands, &*known.task);
        self.demands
            .narrow(demands, classes, |class| fleet.class(class));
        if !known.has_own_code {
            return Ok(());
        }
        let found: Vec<_> = classes.iter().collect();
        for id in found {
            if !self.is_accepted(signature, fleet.class(id), judge)? {
                classes.remove(id);
            }
        }
        Ok(())
    }

    /// Whether a class of workers suits.
    pub(crate) fn suits(
        &mut self,
        signature: SignatureId,
        class: ClassId,
        fleet: &Fleet,
        judge: &mut dyn Judge,
    ) -> Result<bool, NotAsked> {
        let (Some(found), Some(known)) = (fleet.class(class), self.known.get(&signature)) else {
            return Ok(false);
        };
        let demands = (&*known.demands, &*known.task);
        if !self.demands.hold(demands, (class, found)) {
            return Ok(false);
        }
        Ok(!known.has_own_code || self.is_accepted(signature, Some(found), judge)?)
    }

    /// Whether the task's own code says yes.
    fn is_accepted(
        &mut self,
        signature: SignatureId,
        class: Option<&Class>,
        judge: &mut dyn Judge,
    ) -> Result<bool, NotAsked> {
        let verdict = class.map(|class| self.verdict(signature, class, judge));
        let verdict = verdict.transpose()?.flatten();
        Ok(verdict.is_some_and(|verdict| verdict.can_run()))
    }

    /// The verdict with its reasons, but for what the worker's lists say; `None` where the signature is not known.
    pub(crate) fn verdict(
        &mut self,
        signature: SignatureId,
        class: &Class,
        judge: &mut dyn Judge,
    ) -> Result<Option<&Arc<Verdict>>, NotAsked> {
        let Some(known) = self.known.get(&signature) else {
            return Ok(None);
        };
        let metadata = (class.metadata_id, &*class.metadata);
        self.verdicts
            .of((signature, &known.task), metadata, judge)
            .map(Some)
    }
}
