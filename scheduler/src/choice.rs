//! Which idle worker is next, in a pass.

use crate::{
    bits::Bits,
    fleet::{ClassId, Fleet},
};
use std::sync::Arc;

/// The workers that are idle when a pass begins, by name; those that it has given a request are gone.
#[derive(Debug)]
pub(crate) struct Idle(Vec<Option<(Arc<str>, ClassId)>>);

/// The workers that some signatures may choose from.
#[derive(Debug)]
pub(crate) struct Choice {
    classes: Bits,
    /// None of those before this one are to be had: in a pass nobody becomes idle.
    next: usize,
}

impl Idle {
    pub(crate) fn of(fleet: &Fleet) -> Self {
        let idle = fleet.idle().iter();
        Self(
            idle.map(|(name, class)| Some((Arc::clone(name), *class)))
                .collect(),
        )
    }
}

impl Choice {
    pub(crate) fn of(classes: Bits) -> Self {
        Self { classes, next: 0 }
    }

    /// Takes the first one by name.
    pub(crate) fn take(&mut self, idle: &mut Idle) -> Option<Arc<str>> {
        let rest = idle.0.get_mut(self.next..)?;
        for worker in rest {
            self.next += 1;
            if let Some((name, _)) = worker.take_if(|(_, class)| self.classes.contains(*class)) {
                return Some(name);
            }
        }
        None
    }
}
