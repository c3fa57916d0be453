//! Signatures that the plugins here do not give: another scheduler, which has other plugins, may have given them.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

/// How long a signature is left to the scheduler that gave it, which judges it in a moment if it lives. So two schedulers with
/// different builds of a plugin do not take each other's signatures away, and what a dead one left does not wait for ever.
const PATIENCE: Duration = Duration::from_mins(1);

/// The signatures that lack a verdict and that the plugins here do not give.
#[derive(Debug)]
pub(super) struct Foreign {
    since: HashMap<String, Instant>,
    pub(super) patience: Duration,
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
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.since.len()
    }

    /// Whether that signature is known to be foreign, and left to another scheduler for now.
    pub(super) fn is_left(&self, signature: &str, now: Instant) -> bool {
        let since = self.since.get(signature);
        since.is_some_and(|since| now.saturating_duration_since(*since) < self.patience)
    }

    /// The plugins here do not give that signature. Says whether it is left to another scheduler for now.
    pub(super) fn meets(&mut self, signature: &str, now: Instant) -> bool {
        self.since.entry(signature.to_owned()).or_insert(now);
        self.is_left(signature, now)
    }

    /// Forgets all but those: whoever was left others has judged them, or they are gone.
    pub(super) fn keep(&mut self, missing: &HashSet<&str>) {
        self.since.retain(|key, _| missing.contains(&**key));
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
        foreign.keep(&HashSet::from(["b"]));
        assert!(foreign.meets("a", after(61)) && foreign.len() == 1);
    }
}
