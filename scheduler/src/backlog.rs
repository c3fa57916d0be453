//! The requests that wait.

use crate::scheduler::SignatureId;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
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
    queues: HashMap<SignatureId, BinaryHeap<Pending>>,
    /// Those that are taken out when it is their turn.
    removed: HashSet<u64>,
}

impl Backlog {
    pub(crate) fn add(
        &mut self,
        signature: SignatureId,
        pending: impl IntoIterator<Item = Pending>,
    ) {
        let queue = self.queues.entry(signature).or_default();
        let mut added: BinaryHeap<_> = pending
            .into_iter()
            .inspect(|each| {
                self.removed.remove(&each.request);
            })
            .collect();
        queue.append(&mut added);
    }

    /// Takes a request out, whichever queue it is in.
    pub(crate) fn remove(&mut self, request: u64) {
        self.removed.insert(request);
    }

    /// The first of a queue.
    pub(crate) fn first(&mut self, signature: SignatureId) -> Option<Pending> {
        let queue = self.queues.get_mut(&signature)?;
        while let Some(first) = queue.peek() {
            if !self.removed.remove(&first.request) {
                return Some(*first);
            }
            queue.pop();
        }
        self.queues.remove(&signature);
        None
    }

    /// Takes the first of a queue out.
    pub(crate) fn take(&mut self, signature: SignatureId) {
        if let Some(queue) = self.queues.get_mut(&signature) {
            queue.pop();
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
        // What was taken out may come again.
        backlog.add(signature, [pending(0, 4, 2)]);
        assert_eq!(backlog.first(signature).unwrap().request, 2);
    }
}
