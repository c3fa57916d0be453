//! What all classes of workers have under one metadata key, side by side: a condition is asked of many at once.

use crate::fleet::{Class, ClassId};
use serde_json::Value;
use std::collections::{HashMap, hash_map::Entry};
use taskbay_core::{Condition, MetadataKey};

/// Names a column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ColumnId(usize);

/// A column for each key that some requirement is about.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    by_key: HashMap<Box<str>, ColumnId>,
    by_id: Vec<Column>,
    /// Places in `by_id` that are to be had.
    free: Vec<ColumnId>,
}

#[derive(Debug)]
struct Column {
    key: MetadataKey,
    /// How many demands are about it.
    demands: usize,
    /// By class, where it was looked up.
    cells: Vec<Option<Cell>>,
}

/// What is under the key, if anything is.
type Cell = Option<Value>;

impl Columns {
    /// A column for a demand about that key.
    pub(crate) fn add(&mut self, key: &MetadataKey) -> ColumnId {
        let id = match self.by_key.entry(key.as_str().into()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(vacant) => {
                let column = Column {
                    key: key.clone(),
                    demands: 0,
                    cells: Vec::new(),
                };
                let id = self.free.pop().unwrap_or(ColumnId(self.by_id.len()));
                if let Some(free) = self.by_id.get_mut(id.0) {
                    *free = column;
                } else {
                    self.by_id.push(column);
                }
                *vacant.insert(id)
            }
        };
        self.by_id[id.0].demands += 1;
        id
    }

    /// Forgets a column with the last demand about its key.
    pub(crate) fn remove(&mut self, id: ColumnId) {
        let column = &mut self.by_id[id.0];
        column.demands -= 1;
        if column.demands == 0 {
            self.by_key.remove(column.key.as_str());
            column.cells = Vec::new();
            self.free.push(id);
        }
    }

    /// Forgets what a class has, whose name another may get.
    pub(crate) fn forget(&mut self, class: ClassId) {
        for column in &mut self.by_id {
            if let Some(cell) = column.cells.get_mut(class.0) {
                *cell = None;
            }
        }
    }

    /// Whether a condition holds of what a class, which is to be had from `found`, has in the column.
    pub(crate) fn holds<'c>(
        &mut self,
        id: ColumnId,
        condition: &Condition,
        class: ClassId,
        found: impl FnOnce() -> Option<&'c Class>,
    ) -> bool {
        let Column { key, cells, .. } = &mut self.by_id[id.0];
        if cells.len() <= class.0 {
            cells.resize(class.0 + 1, None);
        }
        let look_up = || found().and_then(|class| class.metadata.get(key)).cloned();
        let cell = cells[class.0].get_or_insert_with(look_up);
        condition.holds(cell.as_ref())
    }
}
