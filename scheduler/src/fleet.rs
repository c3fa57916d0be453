//! The workers, in classes of those that are alike: what is so of one is so of all in its class.

use crate::{Lists, Worker};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use taskbay_core::Metadata;

/// Names worker metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MetadataId(u64);

/// Names a class of workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClassId(u64);

/// Workers with the same metadata and lists.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) metadata_id: MetadataId,
    pub(crate) metadata: Arc<Metadata>,
    pub(crate) lists: Lists,
    pub(crate) idle: BTreeSet<Arc<str>>,
    pub(crate) busy: BTreeSet<Arc<str>>,
}

/// All workers.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    /// Metadata that some class has, by its text.
    metadata: HashMap<String, (MetadataId, Arc<Metadata>)>,
    classes: BTreeMap<ClassId, Class>,
    by_content: HashMap<(MetadataId, Lists), ClassId>,
    workers: HashMap<Arc<str>, ClassId>,
    next: u64,
}

impl Fleet {
    /// Adds a worker, or says what it is like now. Gives the metadata that no worker has any more.
    pub(crate) fn set(&mut self, worker: Worker) -> Option<MetadataId> {
        let id = self.class_of(worker.metadata, worker.lists);
        let name: Arc<str> = worker.name.into();
        let before = self.workers.insert(Arc::clone(&name), id);
        // Before it leaves the old class, so that nothing is forgotten of one that stays.
        if let Some(class) = self.classes.get_mut(&id) {
            class.idle.remove(&name);
            class.busy.remove(&name);
            class.side(worker.is_busy).insert(Arc::clone(&name));
        }
        self.leave(before.filter(|before| *before != id)?, &name)
    }

    /// Removes a worker, if it is there. Gives the metadata that no worker has any more.
    pub(crate) fn remove(&mut self, name: &str) -> Option<MetadataId> {
        let id = self.workers.remove(name)?;
        self.leave(id, name)
    }

    /// Takes a worker out of its class, and forgets the class with its last one.
    fn leave(&mut self, id: ClassId, name: &str) -> Option<MetadataId> {
        let class = self.classes.get_mut(&id)?;
        class.idle.remove(name);
        class.busy.remove(name);
        if !(class.idle.is_empty() && class.busy.is_empty()) {
            return None;
        }
        let class = self.classes.remove(&id)?;
        let metadata = class.metadata_id;
        self.by_content.remove(&(metadata, class.lists));
        let mut others = self.classes.values();
        if others.any(|other| other.metadata_id == metadata) {
            return None;
        }
        self.metadata.retain(|_, (id, _)| *id != metadata);
        Some(metadata)
    }

    /// Notes that a worker is busy now, or idle.
    pub(crate) fn set_busy(&mut self, name: &str, is_busy: bool) {
        let Some((name, id)) = self.workers.get_key_value(name) else {
            return;
        };
        let Some(class) = self.classes.get_mut(id) else {
            return;
        };
        class.side(!is_busy).remove(name);
        class.side(is_busy).insert(Arc::clone(name));
    }

    pub(crate) fn classes(&self) -> impl Iterator<Item = (ClassId, &Class)> {
        self.classes.iter().map(|(id, class)| (*id, class))
    }

    pub(crate) fn class(&self, id: ClassId) -> Option<&Class> {
        self.classes.get(&id)
    }

    /// The class of that worker.
    pub(crate) fn class_of_worker(&self, name: &str) -> Option<(ClassId, &Class)> {
        let id = *self.workers.get(name)?;
        Some((id, self.classes.get(&id)?))
    }

    pub(crate) fn len(&self) -> usize {
        self.workers.len()
    }

    fn class_of(&mut self, metadata: Metadata, lists: Lists) -> ClassId {
        // Its keys are sorted, and it cannot fail: metadata was made of JSON.
        let text = serde_json::to_string(&metadata).unwrap_or_default();
        let next = &mut self.next;
        let mut number = || {
            *next += 1;
            *next
        };
        let (metadata_id, metadata) = self
            .metadata
            .entry(text)
            .or_insert_with(|| (MetadataId(number()), Arc::new(metadata)))
            .clone();
        *self
            .by_content
            .entry((metadata_id, lists.clone()))
            .or_insert_with(|| {
                let id = ClassId(number());
                let class = Class {
                    metadata_id,
                    metadata,
                    lists,
                    idle: BTreeSet::new(),
                    busy: BTreeSet::new(),
                };
                self.classes.insert(id, class);
                id
            })
    }
}

impl Class {
    fn side(&mut self, is_busy: bool) -> &mut BTreeSet<Arc<str>> {
        if is_busy {
            &mut self.busy
        } else {
            &mut self.idle
        }
    }

    /// The names of its workers, sorted.
    pub(crate) fn names(&self) -> BTreeSet<&Arc<str>> {
        self.idle.iter().chain(&self.busy).collect()
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
        let old = fleet.class_of_worker("a").unwrap().1.metadata_id;
        assert_eq!(fleet.set(worker("a", r#"{"x": 1}"#)), None);
        assert_eq!(fleet.set(worker("a", r#"{"x": 2}"#)), None);
        assert_eq!(fleet.set(worker("b", r#"{"x": 2}"#)), Some(old));
        assert_eq!(fleet.classes().count(), 1);
        assert_eq!(fleet.metadata.len(), 1);
        assert!(fleet.remove("a").is_none());
        assert!(fleet.remove("b").is_some());
        assert!(fleet.remove("b").is_none());
        assert_eq!((fleet.len(), fleet.metadata.len()), (0, 0));
        assert!(fleet.by_content.is_empty());
    }
}
