//! Signatures that the plugins here do not give: another scheduler, which has other plugins, may have given them.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How long a signature is left to the scheduler that gave it, which judges it in a moment if it lives. So two schedulers with
/// different builds of a plugin do not take each other's signatures away, and what a dead one left does not wait for ever.
const PATIENCE: Duration = Duration::from_mins(1);

/// The signatures that lack a verdict and that the plugins here do not give.
#[derive(Debug)]
pub(super) struct Foreign {
    since: HashMap<String, Met>,
    pub(super) patience: Duration,
}

#[derive(Debug)]
struct Met {
    since: Instant,
    /// Whether it was met since all were looked at.
    is_met: bool,
}

impl Default for Foreign {
    fn default() -> Self {
        Self {
            since: HashMap::new(),
            patience: PATIENCE,
        }
    }
}

impl Foreign {
    /// Whether that signature is known to be foreign, and left to another scheduler for now.
    pub(super) fn is_left(&mut self, signature: &str, now: Instant) -> bool {
        let Some(foreign) = self.since.get_mut(signature) else {
            return false;
        };
        foreign.is_met = true;
        now.saturating_duration_since(foreign.since) < self.patience
    }

    /// It is left to others from now on, once more.
    pub(super) fn is_left_now(&mut self, signature: &str, now: Instant) {
        let foreign = Met {
            since: now,
            is_met: true,
        };
        self.since.insert(signature.to_owned(), foreign);
    }

    /// The plugins here do not give that signature. Says whether it is left to another scheduler for now.
    pub(super) fn meets(&mut self, signature: &str, now: Instant) -> bool {
        if !self.since.contains_key(signature) {
            self.is_left_now(signature, now);
        }
        self.is_left(signature, now)
    }

    /// All signatures were looked at. Those that were not met are forgotten: whoever they were left to has judged them, or they
    /// are gone.
    pub(super) fn has_gone_round(&mut self) {
        self.since
            .retain(|_, foreign| std::mem::take(&mut foreign.is_met));
    }

    /// Others are others now.
    pub(super) fn forget(&mut self) {
        self.since.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_left_to_others_for_a_minute() {
        let (mut foreign, begun) = (Foreign::default(), Instant::now());
        let after = |seconds| begun + Duration::from_secs(seconds);
        assert!(
            !foreign.is_left("a", begun),
            "nobody said that it is foreign"
        );
        assert!(foreign.meets("a", begun));
        assert!(foreign.meets("a", after(59)) && foreign.is_left("a", after(59)));
        assert!(!foreign.meets("a", after(60)) && !foreign.is_left("a", after(60)));
        // Judged meanwhile for one worker, and missing for another: its minute begins anew.
        foreign.has_gone_round();
        foreign.has_gone_round();
        assert!(foreign.meets("a", after(61)));
        // As long as it is met, it goes on.
        foreign.has_gone_round();
        assert!(foreign.is_left("a", after(62)));
        foreign.has_gone_round();
        assert!(!foreign.meets("a", after(121)));
    }
}
