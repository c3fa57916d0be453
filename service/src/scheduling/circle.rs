//! Which signatures are looked at next for verdicts that nobody has given.

use std::time::{Duration, Instant};
use taskbay_engine::{Engine, EngineError, PendingSignature};

/// How many pairs of a signature and metadata are looked at together.
pub(super) const PAIRS: usize = 2048;
/// How many signatures at most, and as long as it is not known how many kinds of workers there are.
const MOST: usize = 256;
const FIRST: usize = 16;
/// For how many times as long as a walk through all of them took, none begins; and for how long at most.
const REST: u32 = 9;
const LONGEST_REST: Duration = Duration::from_secs(30);

/// A look at what is new since the last one, and a walk through all that came before, part by part and round and round: so
/// that a look costs the same however many signatures requests wait with.
#[derive(Debug, Default)]
pub(super) struct Circle {
    /// The metadata of the workers, as its hashes.
    hashes: Vec<String>,
    /// The greatest number that was looked at.
    top: i64,
    /// Whether there may be more that are new.
    is_behind: bool,
    /// How far the walk is, while it goes on.
    after: Option<i64>,
    /// Whether something came meanwhile for which all are to be looked at once more.
    is_stale: bool,
    /// What the walk has cost.
    cost: Duration,
    /// Until when it rests.
    until: Option<Instant>,
}

/// What is looked at together.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// First those that are new.
    pub(super) signatures: Vec<PendingSignature>,
    pub(super) new: usize,
    /// How far it goes in what is new, and in the walk.
    top: Option<i64>,
    after: Option<i64>,
    is_of_news: bool,
    is_walk: bool,
}

impl Look {
    /// Whether a walk through all of them ends with these.
    pub(super) fn is_end(&self) -> bool {
        self.is_walk && self.after.is_none()
    }
}

impl Circle {
    /// Whether there is more to be looked at now.
    pub(super) fn goes_on(&self) -> bool {
        self.is_behind || self.after.is_some()
    }

    /// How many signatures are looked at together.
    pub(super) fn size(&self) -> usize {
        match self.hashes.len() {
            0 => FIRST,
            kinds => (PAIRS / kinds).clamp(1, MOST),
        }
    }

    /// What comes next: with `is_of_news` what is new, and with `walks` a part of the rest, unless that rests.
    ///
    /// # Errors
    ///
    /// When the engine fails. Nothing counts as looked at before [`has_looked`](Self::has_looked) is called.
    pub(super) fn next(
        &self,
        engine: &dyn Engine,
        is_of_news: bool,
        walks: bool,
        now: Instant,
    ) -> Result<Look, EngineError> {
        let size = u32::try_from(self.size()).unwrap_or(1);
        let mut signatures = if is_of_news {
            engine.pending_signatures(self.top, size)?
        } else {
            Vec::new()
        };
        let (new, top) = (signatures.len(), signatures.last().map(|last| last.number));
        let is_resting = self.after.is_none() && self.until.is_some_and(|until| now < until);
        let is_walk = walks && !is_resting;
        let mut after = None;
        if is_walk {
            let mut part = engine.pending_signatures(self.after.unwrap_or(0), size)?;
            // Those behind are new. An empty part alone is the end: of others some may have been left out.
            part.retain(|signature| signature.number <= self.top);
            after = part.last().map(|last| last.number);
            signatures.extend(part);
        }
        Ok(Look {
            signatures,
            new,
            top,
            after,
            is_of_news,
            is_walk,
        })
    }

    /// That was looked at, and took so long; and workers have those metadata now.
    pub(super) fn has_looked(
        &mut self,
        look: &Look,
        hashes: Vec<String>,
        took: Duration,
        now: Instant,
    ) {
        if hashes.is_empty() {
            // There is nobody to be judged. Whoever comes is new, and all signatures lack a verdict on him.
            (self.is_behind, self.after) = (false, None);
            self.hashes = hashes;
            return;
        }
        if look.is_of_news {
            self.is_behind = look.top.is_some();
            self.top = look.top.unwrap_or(self.top);
        }
        if look.is_walk {
            self.cost += took;
            self.after = look.after;
            if look.is_end() {
                let rest = self.cost.saturating_mul(REST).min(LONGEST_REST);
                self.until = (!self.is_stale).then(|| now + rest);
                (self.is_stale, self.cost) = (false, Duration::ZERO);
            }
        }
        // All signatures lack a verdict on new ones.
        let is_new = |hash: &String| self.hashes.binary_search(hash).is_err();
        if hashes.iter().any(is_new) {
            self.again();
        }
        self.hashes = hashes;
    }

    /// Any of those that were looked at may lack a verdict again.
    pub(super) fn again(&mut self) {
        self.is_stale = self.after.is_some();
        self.until = None;
    }
}
