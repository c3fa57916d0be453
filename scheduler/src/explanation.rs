//! Who could execute a request, who could not, and why not.

use crate::{
    Matchable, Outlook,
    fleet::{Class, ClassId, Fleet},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};
use taskbay_core::{Clause, Metadata, Reason, ReasonCode, TaskName, Verdict};

/// Who could execute a request, who could not, and why not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// What the request can expect.
    pub verdict: Outlook,
    /// Each condition, with the workers that do not fulfil it.
    pub conditions: Vec<Row>,
    /// Where it fits nobody, the worker that lacks the least.
    pub nearest: Option<Nearest>,
    /// The workers that get nothing now, whatever they can: a part of each condition's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<Away>,
    /// Why nobody can execute it, whoever comes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Where not all workers have the task in the same version, who has which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skew: Vec<Versions>,
}

/// A condition, with the workers that do not fulfil it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What kind of reason it is where it does not hold.
    pub code: ReasonCode,
    /// The metadata key that it is about.
    pub key: Option<String>,
    /// What is wanted under the key.
    pub wanted: Option<Value>,
    /// How many workers fulfil it.
    pub passing: usize,
    /// The workers that do not, sorted.
    pub failing: Vec<String>,
    /// How many workers were not asked, since a condition before it does not hold: only a task's own code is spared so.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unasked: usize,
}

/// The worker that lacks the least.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Nearest {
    /// Its name.
    pub worker: String,
    /// What it lacks, and so what would make it fit.
    pub missing: Vec<Reason>,
}

/// A worker that gets nothing now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Away {
    /// Its name.
    pub worker: String,
    /// Why.
    pub reason: String,
}

/// Workers that have a task in one version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Versions {
    /// The version, as they report it; null where they do not have the task.
    pub version: Value,
    /// The workers, sorted.
    pub workers: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// What was judged of each class.
type Judged = BTreeMap<ClassId, Arc<Verdict>>;

/// Explains a task's chances with the workers that there are.
pub(crate) fn of(
    task: &Matchable,
    fleet: &Fleet,
    outlook: Outlook,
    judged: &Judged,
) -> Explanation {
    let mut rows: Vec<Row> = Vec::new();
    for clause in task.conditions().clauses() {
        rows.push(clause_row(task, clause, fleet));
    }
    if task.has_own_code() {
        rows.push(own_code_row(task, fleet, judged));
        rows.extend(failed_row(fleet, judged));
    }
    rows.push(lists_row(task, fleet));
    rows.extend(away_row(fleet));
    let nearest = (outlook == Outlook::Never)
        .then(|| nearest(task, fleet, judged))
        .flatten();
    let skew = skew(task.conditions().task(), fleet);
    Explanation {
        verdict: outlook,
        conditions: rows,
        nearest,
        away: away(fleet),
        reasons: Vec::new(),
        skew: if skew.len() > 1 { skew } else { Vec::new() },
    }
}

fn clause_row(task: &Matchable, clause: Clause<'_>, fleet: &Fleet) -> Row {
    let conditions = task.conditions();
    let mut row = Row::new(clause.code(), fleet);
    row.key = Some(conditions.key(clause).to_owned());
    row.wanted = Some(conditions.wanted(clause));
    for (_, class) in fleet.classes() {
        if conditions.reason(clause, &class.metadata).is_some() {
            row.fails(class);
        }
    }
    row.sorted()
}

fn own_code_row(task: &Matchable, fleet: &Fleet, judged: &Judged) -> Row {
    let mut row = Row::new(ReasonCode::Refused, fleet);
    for (id, class) in fleet.classes() {
        if !task.conditions().verdict(&class.metadata).can_run() {
            let unasked = class.workers.len();
            row.unasked += unasked;
            row.passing -= unasked;
        } else if judged.get(&id).is_some_and(|verdict| verdict.has_failed()) {
            // It said nothing of them.
            row.passing -= class.workers.len();
        } else if judged.get(&id).is_none_or(|verdict| !verdict.can_run()) {
            row.fails(class);
        }
    }
    row.sorted()
}

/// The workers for which the plugin failed when it was asked, if there are any.
fn failed_row(fleet: &Fleet, judged: &Judged) -> Option<Row> {
    let mut row = Row::new(ReasonCode::PluginFailed, fleet);
    for (id, class) in fleet.classes() {
        if judged.get(&id).is_some_and(|verdict| verdict.has_failed()) {
            row.fails(class);
        }
    }
    (!row.failing.is_empty()).then(|| row.sorted())
}

fn lists_row(task: &Matchable, fleet: &Fleet) -> Row {
    let mut row = Row::new(ReasonCode::Denied, fleet);
    for (_, class) in fleet.classes() {
        if class.lists.denied(task.conditions().task()).is_some() {
            row.fails(class);
        }
    }
    row.sorted()
}

/// The workers that get nothing now, if there are any.
fn away_row(fleet: &Fleet) -> Option<Row> {
    let mut row = Row::new(ReasonCode::Unavailable, fleet);
    for (_, class) in fleet.classes() {
        if class.lists.away.is_some() {
            row.fails(class);
        }
    }
    (!row.failing.is_empty()).then(|| row.sorted())
}

/// The workers that get nothing now, by name.
fn away(fleet: &Fleet) -> Vec<Away> {
    let mut away = Vec::new();
    for (_, class) in fleet.classes() {
        if let Some(reason) = &class.lists.away {
            away.extend(class.workers.iter().map(|worker| Away {
                worker: worker.to_string(),
                reason: reason.clone(),
            }));
        }
    }
    away.sort_unstable();
    away
}

/// The worker against which there are the fewest reasons; of several the first by name.
fn nearest(task: &Matchable, fleet: &Fleet, judged: &Judged) -> Option<Nearest> {
    let candidates = fleet.classes().filter_map(|(id, class)| {
        let mut missing = judged.get(&id)?.reasons.clone();
        missing.extend(class.lists.reasons(task.conditions().task()));
        let worker = class.workers.first()?.to_string();
        Some(Nearest { worker, missing })
    });
    candidates.min_by(|a, b| (a.missing.len(), &a.worker).cmp(&(b.missing.len(), &b.worker)))
}

/// Who has a task in which version, those without it last.
pub(crate) fn skew(task: &TaskName, fleet: &Fleet) -> Vec<Versions> {
    let key = task.prefix("version");
    let version = |metadata: &Metadata| metadata.value(&key).cloned().unwrap_or_default();
    let mut found: BTreeMap<(bool, String), Versions> = BTreeMap::new();
    for (_, class) in fleet.classes() {
        let version = version(&class.metadata);
        let versions = found
            .entry((version.is_null(), version.to_string()))
            .or_insert_with(|| Versions {
                version,
                workers: Vec::new(),
            });
        versions
            .workers
            .extend(class.workers.iter().map(ToString::to_string));
    }
    let mut found: Vec<_> = found.into_values().collect();
    for versions in &mut found {
        versions.workers.sort_unstable();
    }
    found
}

impl Explanation {
    /// Of a request that nobody can execute, whoever comes: its task is unknown, or its data invalid.
    pub fn refused(reason: Reason) -> Self {
        Self {
            verdict: Outlook::Never,
            conditions: Vec::new(),
            nearest: None,
            away: Vec::new(),
            reasons: vec![reason],
            skew: Vec::new(),
        }
    }
}

impl Row {
    fn new(code: ReasonCode, fleet: &Fleet) -> Self {
        Self {
            code,
            key: None,
            wanted: None,
            passing: fleet.len(),
            failing: Vec::new(),
            unasked: 0,
        }
    }

    fn fails(&mut self, class: &Class) {
        self.passing -= class.workers.len();
        self.failing
            .extend(class.workers.iter().map(ToString::to_string));
    }

    fn sorted(mut self) -> Self {
        self.failing.sort_unstable();
        self
    }
}
