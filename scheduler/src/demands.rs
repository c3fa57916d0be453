//! What signatures demand of workers, each demand once, however many signatures share it.

use crate::{
    Matchable,
    bits::{Answers, Bits},
    fleet::{Class, ClassId},
};
use std::collections::{HashMap, hash_map::Entry};
use taskbay_core::{Clause, Requirement, TaskName};

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
pub(crate) struct DemandId(usize);

/// The demands of all signatures, and which classes of workers fulfil them.
#[derive(Debug, Default)]
pub(crate) struct Demands {
    by_content: HashMap<Demand, DemandId>,
    known: Vec<Known>,
    /// Places in `known` that are to be had.
    free: Vec<DemandId>,
}

#[derive(Debug)]
struct Known {
    content: Demand,
    /// How many signatures have it.
    signatures: usize,
    fulfilled: Answers,
}

impl Demands {
    /// Makes known what a task demands: what its lists must permit, and each of its [clauses](each).
    pub(crate) fn add(&mut self, task: &Matchable) -> Vec<DemandId> {
        let contents = each(task).map(|asked| asked.content(task));
        contents.map(|content| self.add_one(content)).collect()
    }

    fn add_one(&mut self, content: Demand) -> DemandId {
        let id = match self.by_content.entry(content) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(vacant) => {
                let known = Known {
                    content: vacant.key().clone(),
                    signatures: 0,
                    fulfilled: Answers::default(),
                };
                let id = self.free.pop().unwrap_or(DemandId(self.known.len()));
                if let Some(free) = self.known.get_mut(id.0) {
                    *free = known;
                } else {
                    self.known.push(known);
                }
                *vacant.insert(id)
            }
        };
        self.known[id.0].signatures += 1;
        id
    }

    /// Forgets the demands of a signature, but for those that others have.
    pub(crate) fn remove(&mut self, demands: &[DemandId]) {
        for id in demands {
            let known = &mut self.known[id.0];
            known.signatures -= 1;
            if known.signatures == 0 {
                self.by_content.remove(&known.content);
                known.fulfilled = Answers::default();
                self.free.push(*id);
            }
        }
    }

    /// Forgets what is known of a class, whose name another may get.
    pub(crate) fn forget(&mut self, class: ClassId) {
        for known in &mut self.known {
            known.fulfilled.forget(class);
        }
    }

    /// Keeps the classes that fulfil all these demands of a task.
    pub(crate) fn narrow<'c>(
        &mut self,
        (demands, task): (&[DemandId], &Matchable),
        classes: &mut Bits,
        class: impl Fn(ClassId) -> Option<&'c Class>,
    ) {
        for (id, asked) in demands.iter().zip(each(task)) {
            let known = &mut self.known[id.0].fulfilled;
            classes.narrow(known, |id| {
                class(id).is_some_and(|class| asked.is_fulfilled(task, class))
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
        demands.iter().zip(each(task)).all(|(demand, asked)| {
            let known = &mut self.known[demand.0].fulfilled;
            known.of(id, || asked.is_fulfilled(task, class))
        })
    }
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

impl Asked<'_> {
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
