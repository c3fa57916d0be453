//! What was signed here and is looked at first.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};
use taskbay_engine::{PendingSignature, RequestId};

/// How many are remembered. The others are looked at with all that is new, or came before.
const MOST: usize = 10_000;

/// A request's place in the queue.
type Order = (Reverse<i64>, RequestId);

/// The signatures that requests were given here and that were not looked at since, in the order of the queue: a request
/// waits neither for those that were signed before it, nor, where its signature is an old one, until that has its turn.
#[derive(Debug, Default)]
pub(super) struct Signed {
    signatures: BTreeMap<Order, PendingSignature>,
    /// Where each is, by its number.
    orders: HashMap<i64, Order>,
}

impl Signed {
    pub(super) fn is_empty(&self) -> bool {
        self.signatures.is_empty()
    }

    /// A request was given that signature.
    pub(super) fn add(&mut self, signature: PendingSignature) {
        let order = (Reverse(signature.priority), signature.example);
        if let Some(known) = self.orders.get(&signature.number) {
            if *known <= order {
                return;
            }
            self.signatures.remove(known);
        }
        self.orders.insert(signature.number, order);
        self.signatures.insert(order, signature);
        if self.signatures.len() > MOST
            && let Some((_, last)) = self.signatures.pop_last()
        {
            self.orders.remove(&last.number);
        }
    }

    /// Takes the first of them, so many at most; and of priorities above that one, where there is one.
    pub(super) fn take(&mut self, count: usize, above: Option<i64>) -> Vec<PendingSignature> {
        let mut taken = Vec::new();
        while taken.len() < count
            && let Some(first) = self.signatures.first_entry()
            && above.is_none_or(|above| first.get().priority > above)
        {
            let first = first.remove();
            self.orders.remove(&first.number);
            taken.push(first);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskbay_core::TaskName;

    fn signature(number: i64, priority: i64, example: RequestId) -> PendingSignature {
        PendingSignature {
            number,
            key: number.to_string(),
            task_name: TaskName::fold("task").unwrap(),
            example,
            priority,
        }
    }

    #[test]
    fn the_first_of_the_queue_comes_first_and_each_signature_once() {
        let mut signed = Signed::default();
        for (number, priority, example) in
            [(1, 0, 10), (2, 0, 11), (1, 0, 12), (3, 5, 13), (2, 7, 14)]
        {
            signed.add(signature(number, priority, example));
        }
        let numbers = |taken: Vec<PendingSignature>| {
            let numbers = taken.iter().map(|each| each.number);
            numbers.collect::<Vec<_>>()
        };
        assert_eq!(numbers(signed.take(9, Some(5))), [2]);
        assert_eq!(numbers(signed.take(1, None)), [3]);
        assert_eq!(numbers(signed.take(9, None)), [1]);
        assert!(signed.is_empty() && signed.orders.is_empty());
        // The least urgent are left to others.
        for number in 0..=10_000 {
            signed.add(signature(number, number % 2, number));
        }
        let taken = signed.take(usize::MAX, None);
        assert_eq!((taken.len(), taken[MOST - 1].number), (MOST, 9_998));
    }
}
