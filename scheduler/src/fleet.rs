//! The workers, in classes of those that are alike: what is so of one is so of all in its class.

use crate::{Lists, Worker, bits::Bits};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use taskbay_core::Metadata;

/// Names worker metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MetadataId(u64);

/// Names a class of workers, until its last worker leaves it: then another may get the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClassId(pub(crate) usize);

/// Workers with the same metadata and lists.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) metadata_id: MetadataId,
    pub(crate) metadata: Arc<Metadata>,
    pub(crate) lists: Lists,
    /// The names of its workers.
    pub(crate) workers: BTreeSet<Arc<str>>,
    /// How many of them are idle.
    idle: usize,
    /// The metadata's text.
    text: Arc<str>,
}

/// What no worker has any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) class: ClassId,
    pub(crate) metadata: Option<MetadataId>,
}

/// All workers.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    /// Metadata that some class has, by its text.
    metadata: HashMap<Arc<str>, Known>,
    /// How many metadata ever became known.
    named: u64,
    classes: Vec<Option<Class>>,
    /// Places in `classes` that are to be had.
    free: Vec<ClassId>,
    by_content: HashMap<(MetadataId, Lists), ClassId>,
    workers: HashMap<Arc<str>, ClassId>,
    idle: BTreeMap<Arc<str>, ClassId>,
    /// The classes with idle workers.
    idle_classes: Bits,
}

/// Metadata that some class has.
#[derive(Debug)]
struct Known {
    id: MetadataId,
    metadata: Arc<Metadata>,
    /// How many classes have it: their lists differ.
    classes: usize,
}

impl Fleet {
    /// Adds a worker, or says what it is like now. Gives what no worker has any more.
    pub(crate) fn set(&mut self, worker: Worker) -> Option<Gone> {
        let id = self.class_of(worker.metadata, worker.lists);
        let name: Arc<str> = worker.name.into();
        self.set_busy(&name, true);
        let before = self.workers.insert(Arc::clone(&name), id);
        // Before it leaves the old class, so that nothing is forgotten of one that stays.
        if let Some(Some(class)) = self.classes.get_mut(id.0) {
            class.workers.insert(Arc::clone(&name));
        }
        self.set_busy(&name, worker.is_busy);
        self.leave(before.filter(|before| *before != id)?, &name)
    }

    /// Removes a worker, if it is there. Gives what no worker has any more.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Gone> {
        self.set_busy(name, true);
        let id = self.workers.remove(name)?;
        self.leave(id, name)
    }

    /// Takes a worker out of its class, and forgets the class with its last one.
    fn leave(&mut self, id: ClassId, name: &str) -> Option<Gone> {
        let place = self.classes.get_mut(id.0)?;
        let workers = &mut place.as_mut()?.workers;
        workers.remove(name);
        if !workers.is_empty() {
            return None;
        }
        let class = place.take()?;
        self.free.push(id);
        self.by_content.remove(&(class.metadata_id, class.lists));
        let known = self.metadata.get_mut(&class.text)?;
        known.classes -= 1;
        let is_last = known.classes == 0;
        if is_last {
            self.metadata.remove(&class.text);
        }
        Some(Gone {
            class: id,
            metadata: is_last.then_some(class.metadata_id),
        })
    }

    /// Notes that a worker is busy now, or idle.
    pub(crate) fn set_busy(&mut self, name: &str, is_busy: bool) {
        let Some((name, id)) = self.workers.get_key_value(name) else {
            return;
        };
        let Some(Some(class)) = self.classes.get_mut(id.0) else {
            return;
        };
        let was_idle = if is_busy {
            self.idle.remove(name)
        } else {
            self.idle.insert(Arc::clone(name), *id)
        };
        match (was_idle.is_some(), is_busy) {
            (true, true) => class.idle -= 1,
            (false, false) => class.idle += 1,
            _ => return,
        }
        if class.idle == 0 {
            self.idle_classes.remove(*id);
        } else {
            self.idle_classes.insert(*id);
        }
    }

    pub(crate) fn classes(&self) -> impl Iterator<Item = (ClassId, &Class)> {
        let classes = self.classes.iter().enumerate();
        classes.filter_map(|(at, class)| Some((ClassId(at), class.as_ref()?)))
    }

    pub(crate) fn class(&self, id: ClassId) -> Option<&Class> {
        self.classes.get(id.0)?.as_ref()
    }

    /// The class of that worker.
    pub(crate) fn class_of_worker(&self, name: &str) -> Option<(ClassId, &Class)> {
        let id = *self.workers.get(name)?;
        Some((id, self.class(id)?))
    }

    /// The idle workers, by name.
    pub(crate) fn idle(&self) -> &BTreeMap<Arc<str>, ClassId> {
        &self.idle
    }

    /// The classes with idle workers.
    pub(crate) fn idle_classes(&self) -> &Bits {
        &self.idle_classes
    }

    pub(crate) fn len(&self) -> usize {
        self.workers.len()
    }

    fn class_of(&mut self, metadata: Metadata, lists: Lists) -> ClassId {
        // Its keys are sorted, and it cannot fail: metadata was made of JSON.
        let text: Arc<str> = serde_json::to_string(&metadata).unwrap_or_default().into();
        let named = &mut self.named;
        let known = self.metadata.entry(Arc::clone(&text)).or_insert_with(|| {
            *named += 1;
            Known {
                id: MetadataId(*named),
                metadata: Arc::new(metadata),
                classes: 0,
            }
        });
        *self
            .by_content
            .entry((known.id, lists.clone()))
            .or_insert_with(|| {
                known.classes += 1;
                let class = Some(Class {
                    metadata_id: known.id,
                    metadata: Arc::clone(&known.metadata),
                    lists,
                    workers: BTreeSet::new(),
                    idle: 0,
                    text,
                });
                let id = self.free.pop().unwrap_or(ClassId(self.classes.len()));
                if let Some(free) = self.classes.get_mut(id.0) {
                    *free = class;
                } else {
                    self.classes.push(class);
                }
                id
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(name: &str, metadata: &str) -> Worker {
        Worker::new(name, Metadata::parse(metadata).unwrap())
    }

    #[test]
    fn who_is_alike_is_in_one_class() {
        let mut fleet = Fleet::default();
        fleet.set(worker("a", r#"{"x": 1, "y": 2}"#));
        fleet.set(worker("b", r#"{"y": 2, "x": 1}"#));
        fleet.set(worker("c", r#"{"x": 2}"#));
        let mut picky = worker("d", r#"{"x": 2}"#);
        picky.lists.allow = Some(BTreeSet::new());
        fleet.set(picky);
        assert_eq!(fleet.classes().count(), 3);
        assert_eq!(fleet.len(), 4);
        let class = |name| fleet.class_of_worker(name).unwrap();
        assert_eq!(class("a").0, class("b").0);
        assert_eq!(class("c").1.metadata_id, class("d").1.metadata_id);
    }

    #[test]
    fn what_nobody_has_any_more_is_told_and_forgotten() {
        let mut fleet = Fleet::default();
        fleet.set(worker("a", r#"{"x": 1}"#));
        fleet.set(worker("b", r#"{"x": 1}"#));
        let (class, Class { metadata_id, .. }) = fleet.class_of_worker("a").unwrap();
        let old = *metadata_id;
        assert_eq!(fleet.set(worker("a", r#"{"x": 1}"#)), None);
        assert_eq!(fleet.set(worker("a", r#"{"x": 2}"#)), None);
        let gone = fleet.set(worker("b", r#"{"x": 2}"#)).unwrap();
        assert_eq!((gone.class, gone.metadata), (class, Some(old)));
        assert_eq!(fleet.classes().count(), 1);
        assert_eq!(fleet.metadata.len(), 1);
        assert!(fleet.remove("a").is_none());
        assert!(fleet.remove("b").is_some());
        assert!(fleet.remove("b").is_none());
        assert_eq!((fleet.len(), fleet.metadata.len()), (0, 0));
        assert!(
            fleet.by_content.is_empty() && fleet.idle.is_empty() && fleet.idle_classes.is_empty()
        );
    }

    #[test]
    fn metadata_stays_with_its_last_class() {
        let mut fleet = Fleet::default();
        let mut picky = worker("a", r#"{"x": 1}"#);
        picky.lists.allow = Some(BTreeSet::new());
        fleet.set(picky);
        fleet.set(worker("b", r#"{"x": 1}"#));
        assert_eq!(fleet.remove("a").unwrap().metadata, None);
        fleet.set(worker("c", r#"{"x": 1}"#));
        assert!(fleet.remove("b").is_none());
        assert!(fleet.remove("c").unwrap().metadata.is_some());
    }

    #[test]
    fn who_is_idle_is_known_by_name_and_by_class() {
        let mut fleet = Fleet::default();
        fleet.set(worker("b", r#"{"x": 1}"#));
        fleet.set(worker("a", r#"{"x": 1}"#));
        let (class, _) = fleet.class_of_worker("a").unwrap();
        let names = |fleet: &Fleet| {
            fleet
                .idle()
                .keys()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&fleet), ["a", "b"]);
        for _ in 0..2 {
            fleet.set_busy("a", true);
            assert_eq!(names(&fleet), ["b"]);
            assert!(fleet.idle_classes().contains(class));
        }
        fleet.set_busy("b", true);
        assert!(fleet.idle_classes().is_empty());
        // It is told anew, and was busy.
        fleet.set(worker("b", r#"{"x": 1}"#));
        assert_eq!(names(&fleet), ["b"]);
        // It moves, and is idle elsewhere.
        fleet.set(worker("b", r#"{"x": 2}"#));
        assert!(!fleet.idle_classes().contains(class));
        assert_eq!(names(&fleet), ["b"]);
    }
}
