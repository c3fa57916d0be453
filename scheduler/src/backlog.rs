//! The requests that wait.

use crate::scheduler::SignatureId;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

/// A request that waits. The greater one comes first: that of the higher priority, then the older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its priority; higher comes first.
    pub priority: i32,
    /// When it was created, in any unit; earlier comes first.
    pub created: i64,
    /// Its number.
    pub request: u64,
}

impl Ord for Pending {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |each: &Self| (each.priority, Reverse(each.created), Reverse(each.request));
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Pending {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The requests that wait: a queue for each signature, so that one that fits nobody blocks none of another.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// These may hold requests that wait no more, or wait otherwise; such an entry is dropped when it is its turn.
    queues: HashMap<SignatureId, BinaryHeap<Pending>>,
    /// What waits, and how.
    waiting: HashMap<u64, (SignatureId, Pending)>,
}

impl Backlog {
    /// Adds requests. One that waits already waits as said now.
    pub(crate) fn add(
        &mut self,
        signature: SignatureId,
        pending: impl IntoIterator<Item = Pending>,
    ) {
        let added: Vec<_> = pending.into_iter().collect();
        self.waiting.reserve(added.len());
        for each in &added {
            self.waiting.insert(each.request, (signature, *each));
        }
        let queue = self.queues.entry(signature).or_default();
        queue.append(&mut added.into());
    }

    /// Takes a request out, whichever queue it is in.
    pub(crate) fn remove(&mut self, request: u64) {
        self.waiting.remove(&request);
    }

    /// Takes all requests with a signature out.
    pub(crate) fn remove_all(&mut self, signature: SignatureId) {
        for entry in self.queues.remove(&signature).unwrap_or_default() {
            if self.waiting.get(&entry.request) == Some(&(signature, entry)) {
                self.waiting.remove(&entry.request);
            }
        }
    }

    /// The first of a queue.
    pub(crate) fn first(&mut self, signature: SignatureId) -> Option<Pending> {
        let queue = self.queues.get_mut(&signature)?;
        while let Some(first) = queue.peek() {
            if self.waiting.get(&first.request) == Some(&(signature, *first)) {
                return Some(*first);
            }
            queue.pop();
        }
        self.queues.remove(&signature);
        None
    }

    /// Takes the first of a queue out.
    pub(crate) fn take(&mut self, signature: SignatureId) {
        if let Some(first) = self.first(signature) {
            self.waiting.remove(&first.request);
        }
    }

    /// The signatures that requests wait with.
    pub(crate) fn signatures(&self) -> Vec<SignatureId> {
        self.queues.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(priority: i32, created: i64, request: u64) -> Pending {
        Pending {
            priority,
            created,
            request,
        }
    }

    #[test]
    fn priority_comes_first_then_age() {
        let mut backlog = Backlog::default();
        let signature = SignatureId(0);
        let waiting = [
            pending(0, 5, 1),
            pending(0, 4, 2),
            pending(9, 9, 3),
            pending(0, 4, 0),
            pending(-1, 0, 4),
        ];
        backlog.add(signature, waiting);
        backlog.remove(2);
        let mut order = Vec::new();
        while let Some(first) = backlog.first(signature) {
            order.push(first.request);
            backlog.take(signature);
        }
        assert_eq!(order, [3, 0, 1, 4]);
        assert_eq!(backlog.signatures(), []);
        assert!(backlog.waiting.is_empty());
    }

    /// Whether it was taken out before or not, and wherever it waited, it waits once.
    #[test]
    fn what_comes_again_waits_as_said_last() {
        let mut backlog = Backlog::default();
        let (old, new) = (SignatureId(0), SignatureId(1));
        backlog.add(old, [pending(0, 0, 7), pending(0, 1, 8)]);
        backlog.remove(7);
        backlog.add(new, [pending(5, 0, 7)]);
        backlog.add(new, [pending(3, 0, 7), pending(3, 0, 7)]);
        assert_eq!(backlog.first(old), Some(pending(0, 1, 8)));
        assert_eq!(backlog.first(new), Some(pending(3, 0, 7)));
        backlog.take(new);
        assert_eq!(backlog.first(new), None);
        backlog.remove_all(old);
        assert_eq!(backlog.first(old), None);
        assert!(backlog.waiting.is_empty());
    }
}
