//! The abort latch.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Tells an execution to stop: a latch that goes one way. Clones share it.
#[derive(Clone, Default)]
pub struct Abort(Arc<Latch>);

#[derive(Default)]
struct Latch {
    set: AtomicBool,
    /// Asked while the latch is not set; where the latch of another binary stands behind this one.
    source: Option<Box<dyn Fn() -> bool + Send + Sync>>,
}

impl Abort {
    /// A latch that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A latch that is also set once `source` answers true. It is asked each time that somebody looks, until then.
    pub fn watching(source: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(Latch {
            set: AtomicBool::new(false),
            source: Some(Box::new(source)),
        }))
    }

    /// Sets the latch. Doing so again changes nothing, and nothing unsets it.
    pub fn set(&self) {
        self.0.set.store(true, Ordering::Release);
    }

    /// Whether the execution shall stop.
    pub fn is_set(&self) -> bool {
        if self.0.set.load(Ordering::Acquire) {
            return true;
        }
        let set = self.0.source.as_ref().is_some_and(|source| source());
        if set {
            self.set();
        }
        set
    }
}

impl fmt::Debug for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Abort").field(&self.is_set()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Row `abort, aborted`: idempotent, and one way, also when the source changes its mind.
    #[test]
    fn abort_aborted() {
        let abort = Abort::new();
        assert!(!abort.is_set());
        abort.set();
        abort.set();
        assert!(abort.clone().is_set());

        let source = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&source);
        let watching = Abort::watching(move || asked.load(Ordering::Relaxed));
        assert!(!watching.is_set());
        source.store(true, Ordering::Relaxed);
        assert!(watching.is_set());
        source.store(false, Ordering::Relaxed);
        assert!(watching.is_set());
    }
}
