//! Which signatures are looked at next for verdicts that nobody has given.

use std::time::{Duration, Instant};
use taskbay_engine::{Engine, EngineError, PendingSignature};

/// How many pairs of a signature and metadata are looked at together.
const PAIRS: usize = 2048;
/// How many signatures at most.
const MOST: usize = 256;
/// For how many times as long as a look at all of them took, none begins. What is new is looked at all the same.
const REST: u32 = 9;

/// A walk through all signatures that requests wait with, part by part and round and round, so that it costs the same each
/// time however many there are.
#[derive(Debug, Default)]
pub(super) struct Circle {
    /// The metadata of the workers, as its hashes.
    hashes: Vec<String>,
    /// The number of the last signature that was looked at.
    after: i64,
    /// Since when the walk goes on; none while it rests.
    since: Option<Instant>,
    /// Until when it rests.
    until: Option<Instant>,
}

impl Circle {
    /// Whether it goes on.
    pub(super) fn goes_on(&self) -> bool {
        self.since.is_some()
    }

    /// The newest signatures, and those that are next. Says also whether a walk through all of them ends with these.
    pub(super) fn next(
        &mut self,
        engine: &dyn Engine,
        now: Instant,
    ) -> Result<(Vec<PendingSignature>, bool), EngineError> {
        let kinds = self.hashes.len().max(1);
        let size = u32::try_from((PAIRS / kinds).clamp(1, MOST)).unwrap_or(1);
        let mut signatures = engine.newest_signatures(size)?;
        if self.until.is_some_and(|until| now < until) {
            return Ok((signatures, false));
        }
        let since = *self.since.get_or_insert(now);
        let next = engine.pending_signatures(self.after, size)?;
        let is_end = next.len() < size as usize;
        match next.last() {
            Some(last) if !is_end => self.after = last.number,
            _ => {
                let rest = now.saturating_duration_since(since) * REST;
                self.rest(now, rest);
            }
        }
        let is_known = |new: &PendingSignature| {
            signatures
                .iter()
                .any(|signature| signature.number == new.number)
        };
        let next: Vec<_> = next.into_iter().filter(|new| !is_known(new)).collect();
        signatures.extend(next);
        Ok((signatures, is_end))
    }

    /// Workers have those metadata now. Where some are new, all signatures lack a verdict on them.
    pub(super) fn meets(&mut self, hashes: Vec<String>) {
        let is_new = |hash: &String| self.hashes.binary_search(hash).is_err();
        if hashes.iter().any(is_new) {
            self.until = None;
        }
        self.hashes = hashes;
    }

    fn rest(&mut self, now: Instant, rest: Duration) {
        self.after = 0;
        self.since = None;
        self.until = Some(now + rest);
    }
}
