//! The requests that wait.

use crate::scheduler::SignatureId;
use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap, hash_map::Entry},
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
    /// What waits with each signature, the first at the end. None is empty.
    queues: HashMap<SignatureId, BTreeSet<Pending>>,
    /// The first of each queue, the very first at the end.
    fronts: BTreeSet<(Pending, SignatureId)>,
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
        let mut added: Vec<_> = pending.into_iter().collect();
        self.waiting.reserve(added.len());
        let mut is_said_twice = false;
        for each in &added {
            if let Some(before) = self.waiting.insert(each.request, (signature, *each)) {
                is_said_twice = true;
                self.drop_from_queue(before);
            }
        }
        if is_said_twice {
            added.retain(|each| self.waiting.get(&each.request) == Some(&(signature, *each)));
        }
        self.change(signature, |queue| {
            if queue.is_empty() {
                *queue = added.into_iter().collect();
            } else {
                queue.extend(added);
            }
        });
    }

    /// Takes a request out, whichever queue it is in.
    pub(crate) fn remove(&mut self, request: u64) {
        if let Some(entry) = self.waiting.remove(&request) {
            self.drop_from_queue(entry);
        }
    }

    /// Takes all requests with a signature out.
    pub(crate) fn remove_all(&mut self, signature: SignatureId) {
        let Some(queue) = self.queues.remove(&signature) else {
            return;
        };
        for each in &queue {
            self.waiting.remove(&each.request);
        }
        if let Some(first) = queue.last() {
            self.fronts.remove(&(*first, signature));
        }
    }

    /// The first of each queue, in their order.
    pub(crate) fn fronts(&self) -> impl Iterator<Item = (Pending, SignatureId)> {
        self.fronts.iter().rev().copied()
    }

    /// Takes the first of a queue out, and gives the next.
    pub(crate) fn take(&mut self, signature: SignatureId) -> Option<Pending> {
        let queue = self.queues.get(&signature)?;
        let (first, next) = (queue.last()?.request, queue.iter().nth_back(1).copied());
        self.remove(first);
        next
    }

    fn drop_from_queue(&mut self, (signature, entry): (SignatureId, Pending)) {
        self.change(signature, |queue| {
            queue.remove(&entry);
        });
    }

    /// Changes a queue, and what is said of its first.
    fn change(&mut self, signature: SignatureId, change: impl FnOnce(&mut BTreeSet<Pending>)) {
        let mut entry = match self.queues.entry(signature) {
            Entry::Occupied(occupied) => occupied,
            Entry::Vacant(vacant) => vacant.insert_entry(BTreeSet::new()),
        };
        let before = entry.get().last().copied();
        change(entry.get_mut());
        let after = entry.get().last().copied();
        if after.is_none() {
            entry.remove();
        }
        if before != after {
            if let Some(before) = before {
                self.fronts.remove(&(before, signature));
            }
            self.fronts.extend(after.map(|after| (after, signature)));
        }
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

    fn first(backlog: &Backlog, signature: SignatureId) -> Option<Pending> {
        let mut fronts = backlog.fronts();
        let front = fronts.find(|(_, of)| *of == signature);
        front.map(|(first, _)| first)
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
        while let Some(first) = first(&backlog, signature) {
            order.push(first.request);
            backlog.take(signature);
        }
        assert_eq!(order, [3, 0, 1, 4]);
        assert_eq!(backlog.fronts().count(), 0);
        assert!(backlog.waiting.is_empty());
    }

    /// Also where its queue's turn never comes.
    #[test]
    fn what_is_removed_leaves_nothing() {
        let mut backlog = Backlog::default();
        let signature = SignatureId(0);
        backlog.add(signature, (0..100).map(|number| pending(0, 0, number)));
        for number in 1..100 {
            backlog.remove(number);
        }
        assert_eq!(backlog.queues[&signature].len(), 1);
        backlog.remove(0);
        assert!(backlog.queues.is_empty() && backlog.waiting.is_empty());
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
        assert_eq!(first(&backlog, old), Some(pending(0, 1, 8)));
        assert_eq!(first(&backlog, new), Some(pending(3, 0, 7)));
        assert_eq!(backlog.take(new), None);
        assert_eq!(first(&backlog, new), None);
        backlog.remove_all(old);
        assert_eq!(first(&backlog, old), None);
        assert!(backlog.waiting.is_empty());
    }
}
