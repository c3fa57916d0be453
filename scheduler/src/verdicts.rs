//! What was judged before.

use crate::{
    Judge, Matchable, NotAsked, fleet::MetadataId, judge::verdict, scheduler::SignatureId,
};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};
use taskbay_core::{Metadata, Verdict};

/// Verdicts with their reasons, by signature and metadata: what decides is all in these two, so each is judged once.
#[derive(Debug, Default)]
pub(crate) struct Verdicts(HashMap<(SignatureId, MetadataId), Arc<Verdict>>);

impl Verdicts {
    /// The verdict, judged now if it is not known: by the conditions, and where they hold by the task's own code.
    ///
    /// # Errors
    ///
    /// When no plugin can be asked; then it stays unknown.
    pub(crate) fn of(
        &mut self,
        (signature, task): (SignatureId, &Matchable),
        (id, metadata): (MetadataId, &Metadata),
        judge: &mut dyn Judge,
    ) -> Result<&Arc<Verdict>, NotAsked> {
        Ok(match self.0.entry((signature, id)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(Arc::new(verdict(task, metadata, judge)?)),
        })
    }

    /// Forgets what is about that metadata.
    pub(crate) fn forget(&mut self, metadata: MetadataId) {
        self.0.retain(|(_, id), _| *id != metadata);
    }

    /// Forgets what is about that signature.
    pub(crate) fn forget_task(&mut self, signature: SignatureId) {
        self.0.retain(|(id, _), _| *id != signature);
    }

    /// Forgets the verdicts for which a plugin could not be asked.
    pub(crate) fn forget_failed(&mut self) {
        self.0.retain(|_, verdict| !verdict.has_failed());
    }
}
