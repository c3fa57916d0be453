//! What lacks a verdict, in the order in which it is judged.

use super::{circle::PAIRS, failed::Failed};
use std::{
    cmp::Reverse,
    collections::{HashMap, hash_map::Entry},
};
use taskbay_engine::MissingVerdict;

/// Where a pair was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// In what is new.
    News,
    /// In what came before.
    Rest,
}

/// The pairs of a signature and metadata that are to be judged. Of what is new and of the rest one each in turns, so that
/// neither waits for all of the other; of each the one whose request is first in the queue. Those at which plugins may fail
/// come after all others, and take the place of none.
#[derive(Debug, Default)]
pub(super) struct Pile {
    /// The last is the next.
    news: Vec<MissingVerdict>,
    rest: Vec<MissingVerdict>,
    doubtful: Vec<MissingVerdict>,
    /// Which those are, by their signatures and metadata, and where in the queue.
    held: HashMap<(String, String), Order>,
    is_turn_of_rest: bool,
}

impl Pile {
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether there is room for more of those.
    pub(super) fn has_room(&self, lane: Lane) -> bool {
        match lane {
            Lane::News => self.news.len() < PAIRS,
            Lane::Rest => self.rest.len() < PAIRS,
        }
    }

    /// The priority of the first of what is new.
    pub(super) fn priority_of_news(&self) -> Option<i64> {
        self.news.iter().map(|pair| pair.priority).max()
    }

    /// Adds a pair. One that is there goes to where it is now, if a request came that is more urgent.
    pub(super) fn add(&mut self, lane: Lane, pair: MissingVerdict) {
        let now = order(&pair);
        match self.held.entry(key(&pair)) {
            Entry::Vacant(place) => {
                place.insert(now);
                match lane {
                    Lane::News => self.news.push(pair),
                    Lane::Rest => self.rest.push(pair),
                }
            }
            Entry::Occupied(mut place) if now < *place.get() => {
                place.insert(now);
                let lanes = [&mut self.news, &mut self.rest, &mut self.doubtful];
                let is_it = |held: &&mut MissingVerdict| {
                    held.signature == pair.signature && held.metadata_hash == pair.metadata_hash
                };
                if let Some(held) = lanes.into_iter().flatten().find(is_it) {
                    *held = pair;
                }
            }
            Entry::Occupied(_) => {}
        }
    }

    /// Puts them in their order, as far as it is known by now who fails. Too many of which plugins may fail at go: they are
    /// found again.
    pub(super) fn sort(&mut self, failed: &Failed) {
        let is_doubtful = |pair: &mut MissingVerdict| failed.rank(pair) > 0;
        let mut doubtful: Vec<_> = self.news.extract_if(.., is_doubtful).collect();
        doubtful.extend(self.rest.extract_if(.., is_doubtful));
        self.rest
            .extend(self.doubtful.extract_if(.., |pair| failed.rank(pair) == 0));
        self.doubtful.append(&mut doubtful);
        for lane in [&mut self.news, &mut self.rest] {
            lane.sort_by_key(|pair| Reverse(order(pair)));
        }
        self.doubtful
            .sort_by_cached_key(|pair| Reverse((failed.rank(pair), order(pair))));
        let excess = self.doubtful.len().saturating_sub(PAIRS);
        for pair in self.doubtful.drain(..excess) {
            self.held.remove(&key(&pair));
        }
    }

    /// Takes the next one off. Those at which plugins may fail, as was found out since they were put in order, come last.
    pub(super) fn take(&mut self, failed: &Failed) -> Option<MissingVerdict> {
        self.is_turn_of_rest = !self.is_turn_of_rest;
        let mut lanes = [&mut self.news, &mut self.rest];
        if self.is_turn_of_rest {
            lanes.reverse();
        }
        let mut next = || lanes.iter_mut().find_map(|lane| lane.pop());
        let mut late = Vec::new();
        let pair = loop {
            match next() {
                Some(pair) if failed.rank(&pair) > 0 => late.push(pair),
                pair => break pair,
            }
        };
        late.reverse();
        self.doubtful.splice(..0, late);
        let pair = pair.or_else(|| self.doubtful.pop())?;
        self.held.remove(&key(&pair));
        Some(pair)
    }
}

/// As the queue has their requests.
type Order = (Reverse<i64>, i64);

fn order(pair: &MissingVerdict) -> Order {
    (Reverse(pair.priority), pair.example)
}

fn key(pair: &MissingVerdict) -> (String, String) {
    (pair.signature.clone(), pair.metadata_hash.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Arc, time::Instant};
    use taskbay_core::TaskName;

    fn pair(example: i64, worker: usize) -> MissingVerdict {
        MissingVerdict {
            signature: example.to_string(),
            task_name: TaskName::fold("task").unwrap(),
            example,
            priority: 0,
            metadata_hash: worker.to_string(),
            metadata: Arc::default(),
        }
    }

    fn urgent(example: i64) -> MissingVerdict {
        MissingVerdict {
            priority: 9,
            ..pair(example, 0)
        }
    }

    fn examples(pile: &mut Pile, count: usize) -> Vec<i64> {
        let pairs = (0..count).map_while(|_| pile.take(&Failed::default()));
        pairs.map(|pair| pair.example).collect()
    }

    /// A pair that came in twice is judged once.
    #[test]
    fn news_and_the_rest_take_turns_each_in_the_order_of_the_queue() {
        let mut pile = Pile::default();
        for example in [3, 1, 2, 3] {
            pile.add(Lane::Rest, pair(example, 0));
        }
        for new in [pair(8, 0), pair(3, 0), pair(7, 0), urgent(9)] {
            pile.add(Lane::News, new);
        }
        assert_eq!(pile.priority_of_news(), Some(9));
        pile.sort(&Failed::default());
        assert_eq!(examples(&mut pile, 9), [1, 9, 2, 7, 3, 8]);
        assert!(pile.is_empty());
        // What was taken may come again.
        pile.add(Lane::News, pair(3, 0));
        assert_eq!(examples(&mut pile, 9), [3]);
    }

    /// Another one with the same signature, wherever that is held.
    #[test]
    fn what_becomes_urgent_is_judged_before_the_rest() {
        let (mut pile, mut failed) = (Pile::default(), Failed::default());
        for example in 1..7 {
            let lane = [Lane::News, Lane::Rest][usize::try_from(example % 2).unwrap()];
            pile.add(lane, pair(example, 0));
        }
        let more = |example: i64, priority| MissingVerdict {
            signature: example.to_string(),
            priority,
            ..pair(example + 10, 0)
        };
        for example in [5, 6] {
            pile.add(Lane::News, more(example, 9));
            // Nor does one become less urgent.
            pile.add(Lane::News, more(example, 0));
        }
        failed.add(&pair(3, 1), Instant::now());
        failed.add(&pair(1, 1), Instant::now());
        pile.sort(&failed);
        pile.add(Lane::News, more(3, 9));
        pile.sort(&failed);
        let pairs = std::iter::from_fn(|| pile.take(&failed));
        let taken: Vec<_> = pairs.map(|pair| pair.example).collect();
        assert_eq!(taken, [15, 16, 2, 4, 13, 1]);
        assert!(pile.is_empty());
    }

    /// It is known as soon as it is found out.
    #[test]
    fn what_plugins_were_just_found_to_fail_at_comes_last() {
        let (mut pile, mut failed) = (Pile::default(), Failed::default());
        for example in 1..4 {
            (0..2).for_each(|worker| pile.add(Lane::News, pair(example, worker)));
        }
        pile.sort(&failed);
        let first = pile.take(&failed).unwrap();
        failed.add(&first, Instant::now());
        let mut taken = Vec::new();
        while let Some(pair) = pile.take(&failed) {
            taken.push(failed.rank(&pair) > 0);
        }
        assert_eq!(taken, [false, false, true, true, true]);
        assert!(pile.is_empty());
    }

    /// However many bad requests there are, for however many workers.
    #[test]
    fn what_plugins_fail_at_takes_the_place_of_nothing_else() {
        let (mut pile, mut failed) = (Pile::default(), Failed::default());
        for example in 0..1000 {
            failed.add(&pair(example, 0), Instant::now());
            for worker in 0..10 {
                pile.add(Lane::News, pair(example, worker));
            }
        }
        assert!(!pile.has_room(Lane::News));
        pile.sort(&failed);
        assert!(pile.has_room(Lane::News) && pile.has_room(Lane::Rest));
        assert_eq!(pile.held.len(), PAIRS);
        // Those that went may come again, and so may the good ones.
        pile.add(Lane::Rest, pair(5000, 11));
        pile.add(Lane::News, pair(999, 9));
        pile.sort(&failed);
        assert_eq!(examples(&mut pile, 1), [5000]);
    }
}
