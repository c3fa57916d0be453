//! What signatures demand of workers, each demand once, however many signatures share it.

use crate::{
    Matchable,
    bits::{Answers, Bits},
    columns::{ColumnId, Columns},
    fleet::{Class, ClassId},
};
use std::collections::{HashMap, hash_map::Entry};
use taskbay_core::{Clause, Condition, Requirement, TaskName};

/// A demand on a worker. The same workers fulfil those that are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Demand {
    Task(TaskName),
    Version(TaskName, u32),
    Type,
    /// As JSON text, with all that decides and nothing else.
    Requirement(String),
    /// The worker's lists permit the task.
    Permission(TaskName),
}

/// Names a demand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DemandId(u32);

/// The demands of all signatures, and which classes of workers fulfil them.
#[derive(Debug, Default)]
pub(crate) struct Demands {
    by_content: HashMap<Demand, DemandId>,
    known: Vec<Known>,
    columns: Columns,
    /// Places in `known` that are to be had.
    free: Vec<DemandId>,
}

/// What is looked at for each signature lies together: where there are many, memory is what takes the time.
#[derive(Debug)]
struct Known {
    fulfilled: Answers,
    /// Of a requirement.
    condition: Option<(ColumnId, Condition)>,
    /// How many signatures have it.
    signatures: usize,
    content: Box<Demand>,
}

impl Demands {
    /// Makes known what a task demands, in the order of [`each`].
    pub(crate) fn add(&mut self, task: &Matchable) -> Box<[DemandId]> {
        each(task).map(|asked| self.add_one(asked, task)).collect()
    }

    fn add_one(&mut self, asked: Asked<'_>, task: &Matchable) -> DemandId {
        let id = match self.by_content.entry(asked.content(task)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(vacant) => {
                let condition = asked.requirement().map(|requirement| {
                    let column = self.columns.add(requirement.key());
                    (column, requirement.condition().clone())
                });
                let known = Known {
                    fulfilled: Answers::default(),
                    condition,
                    signatures: 0,
                    content: Box::new(vacant.key().clone()),
                };
                *vacant.insert(place(&mut self.known, &mut self.free, known))
            }
        };
        self.known[id.at()].signatures += 1;
        id
    }

    /// Forgets the demands of a signature, but for those that others have.
    pub(crate) fn remove(&mut self, demands: &[DemandId]) {
        for id in demands {
            let known = &mut self.known[id.at()];
            known.signatures -= 1;
            if known.signatures == 0 {
                self.by_content.remove(&*known.content);
                known.fulfilled = Answers::default();
                if let Some((column, _)) = known.condition.take() {
                    self.columns.remove(column);
                }
                self.free.push(*id);
            }
        }
    }

    /// Forgets what is known of a class, whose name another may get.
    pub(crate) fn forget(&mut self, class: ClassId) {
        for known in &mut self.known {
            known.fulfilled.forget(class);
        }
        self.columns.forget(class);
    }

    /// Keeps the classes that fulfil all these demands of a task.
    pub(crate) fn narrow<'c>(
        &mut self,
        (demands, task): (&[DemandId], &Matchable),
        classes: &mut Bits,
        class: impl Fn(ClassId) -> Option<&'c Class>,
    ) {
        for (id, nth) in demands.iter().zip(0..) {
            let Known {
                fulfilled,
                condition,
                ..
            } = &mut self.known[id.at()];
            classes.narrow(fulfilled, |id| {
                let found = || class(id);
                match condition {
                    Some((column, condition)) => self.columns.holds(*column, condition, id, found),
                    None => found().is_some_and(|class| is_fulfilled(task, nth, class)),
                }
            });
            if classes.is_empty() {
                return;
            }
        }
    }

    /// Whether a class fulfils all these demands of a task.
    pub(crate) fn hold(
        &mut self,
        (demands, task): (&[DemandId], &Matchable),
        (id, class): (ClassId, &Class),
    ) -> bool {
        demands.iter().zip(0..).all(|(demand, nth)| {
            let known = &mut self.known[demand.at()].fulfilled;
            known.of(id, || is_fulfilled(task, nth, class))
        })
    }
}

impl DemandId {
    fn at(self) -> usize {
        self.0 as usize
    }
}

/// Puts what is known into a free place, or behind all others.
fn place(all: &mut Vec<Known>, free: &mut Vec<DemandId>, known: Known) -> DemandId {
    if let Some(id) = free.pop() {
        all[id.at()] = known;
        return id;
    }
    all.push(known);
    // Four thousand million demands need more memory than there is.
    DemandId(u32::try_from(all.len() - 1).unwrap_or(u32::MAX))
}

/// Whether a class of workers fulfils the task's demand of that place in [`each`].
fn is_fulfilled(task: &Matchable, nth: usize, class: &Class) -> bool {
    each(task)
        .nth(nth)
        .is_some_and(|asked| asked.is_fulfilled(task, class))
}

/// One demand of a task at hand.
#[derive(Clone, Copy)]
enum Asked<'t> {
    Permission,
    Clause(Clause<'t>),
}

/// The demands of a task, always in the same order.
fn each(task: &Matchable) -> impl Iterator<Item = Asked<'_>> {
    let clauses = task.conditions().clauses().map(Asked::Clause);
    std::iter::once(Asked::Permission).chain(clauses)
}

impl<'t> Asked<'t> {
    fn content(self, task: &Matchable) -> Demand {
        let conditions = task.conditions();
        let name = || conditions.task().clone();
        match self {
            Self::Permission => Demand::Permission(name()),
            Self::Clause(Clause::HasTask) => Demand::Task(name()),
            Self::Clause(Clause::HasVersion) => Demand::Version(name(), conditions.version()),
            Self::Clause(Clause::HasType) => Demand::Type,
            Self::Clause(Clause::Requirement(requirement)) => {
                Demand::Requirement(content(requirement))
            }
        }
    }

    fn requirement(self) -> Option<&'t Requirement> {
        match self {
            Self::Clause(Clause::Requirement(requirement)) => Some(requirement),
            _ => None,
        }
    }

    fn is_fulfilled(self, task: &Matchable, class: &Class) -> bool {
        match self {
            Self::Permission => class.lists.permit(task.conditions().task()),
            Self::Clause(clause) => task.conditions().holds(clause, &class.metadata),
        }
    }
}

/// What decides of a requirement; what its author says of it does not.
fn content(requirement: &Requirement) -> String {
    let content = (requirement.key(), requirement.condition());
    // It cannot fail: it was made of JSON, or is sent as such.
    serde_json::to_string(&content).unwrap_or_default()
}
