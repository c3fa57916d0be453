//! Everything that a worker's metadata must fulfil before a task's own code is asked.

use crate::{
    Clause, Metadata, MetadataKey, Reason, ReasonCode, Requirement, TaskName, Verdict, is_version,
};
use serde_json::Value;

/// The keys in task data that name the architecture which the task needs; the second is Debusine's since 0.14.
const ARCHITECTURE_KEYS: [&str; 2] = ["host_architecture", "build_architecture"];

/// The type of the workers that execute tasks.
const WORKER_TYPE: &str = "external";

/// The implied conditions of a configured task and the requirements that it declares.
///
/// Implied: the worker has the task in the same version; its `system:worker_type`, where reported, is `external`; and
/// an architecture that the task data names is among its `system:architectures`.
#[derive(Clone, Debug)]
pub struct Conditions {
    task: TaskName,
    version: u32,
    version_key: MetadataKey,
    health_key: MetadataKey,
    type_key: MetadataKey,
    requirements: Vec<Requirement>,
}

impl Conditions {
    /// The conditions of the task `name` in `version`, configured with `data`, which declares `requirements`.
    pub fn new(name: &TaskName, version: u32, data: &Value, declared: Vec<Requirement>) -> Self {
        let architectures = ARCHITECTURE_KEYS
            .iter()
            .filter_map(|key| data.get(key)?.as_str())
            .map(|wanted| Requirement::contains("system:architectures", wanted));
        Self {
            version_key: MetadataKey::new(&name.prefix("version")),
            health_key: MetadataKey::new(&name.prefix("health")),
            type_key: MetadataKey::new("system:worker_type"),
            task: name.clone(),
            version,
            requirements: architectures.chain(declared).collect(),
        }
    }

    /// The declared requirements, and the implied one on the architecture.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Each condition by itself, in the order of the reasons.
    pub fn clauses(&self) -> impl Iterator<Item = Clause<'_>> {
        let implied = [Clause::HasTask, Clause::HasVersion, Clause::HasType];
        let declared = self.requirements.iter().map(Clause::Requirement);
        implied.into_iter().chain(declared)
    }

    /// Why a worker does not fulfil that one of the [clauses](Self::clauses); `None` where it does.
    pub fn reason(&self, clause: Clause<'_>, worker: &Metadata) -> Option<Reason> {
        let of_code = |code| move |reason: &Reason| reason.code == code;
        match clause {
            Clause::HasTask => self
                .version_reason(worker)
                .filter(of_code(ReasonCode::TaskMissing)),
            Clause::HasVersion => self
                .version_reason(worker)
                .filter(of_code(ReasonCode::VersionMismatch)),
            Clause::HasType => self.type_reason(worker),
            Clause::Requirement(requirement) => {
                (!requirement.holds(worker)).then(|| requirement.reason(worker))
            }
        }
    }

    /// Whether a worker fulfils that one of the [clauses](Self::clauses): quicker to find out than the reason.
    pub fn holds(&self, clause: Clause<'_>, worker: &Metadata) -> bool {
        let is_missing = || worker.get(&self.version_key).is_none_or(Value::is_null);
        match clause {
            Clause::HasTask => !is_missing(),
            Clause::HasVersion => self.has_task(worker) || is_missing(),
            Clause::HasType => self.has_type(worker),
            Clause::Requirement(requirement) => requirement.holds(worker),
        }
    }

    /// The metadata key that a clause is about.
    pub fn key<'c>(&'c self, clause: Clause<'c>) -> &'c str {
        let key = match clause {
            Clause::HasTask | Clause::HasVersion => &self.version_key,
            Clause::HasType => &self.type_key,
            Clause::Requirement(requirement) => requirement.key(),
        };
        key.as_str()
    }

    /// What a clause wants under its key.
    pub fn wanted(&self, clause: Clause<'_>) -> Value {
        match clause {
            Clause::HasTask | Clause::HasVersion => self.version.into(),
            Clause::HasType => WORKER_TYPE.into(),
            Clause::Requirement(requirement) => requirement.condition().wanted(),
        }
    }

    /// The task's name.
    pub fn task(&self) -> &TaskName {
        &self.task
    }

    /// The task's version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Judges a worker, with every reason against it.
    pub fn verdict(&self, worker: &Metadata) -> Verdict {
        if self.hold(worker) {
            return Verdict::default();
        }
        let mut reasons = Vec::new();
        reasons.extend(self.version_reason(worker));
        reasons.extend(self.type_reason(worker));
        for requirement in &self.requirements {
            if !requirement.holds(worker) {
                reasons.push(requirement.reason(worker));
            }
        }
        Verdict { reasons }
    }

    /// Whether there is no reason against a worker: quicker to find out than the reasons.
    pub fn hold(&self, worker: &Metadata) -> bool {
        self.has_task(worker)
            && self.has_type(worker)
            && self.requirements.iter().all(|each| each.holds(worker))
    }

    fn has_task(&self, worker: &Metadata) -> bool {
        let is_same = |found| is_version(found, self.version);
        worker.get(&self.version_key).is_some_and(is_same)
    }

    fn has_type(&self, worker: &Metadata) -> bool {
        let suits = |found: &Value| found.is_null() || found == WORKER_TYPE;
        worker.get(&self.type_key).is_none_or(suits)
    }

    fn version_reason(&self, worker: &Metadata) -> Option<Reason> {
        if self.has_task(worker) {
            return None;
        }
        let found = worker.get(&self.version_key);
        let (code, mut message) = match found {
            None | Some(Value::Null) => (
                ReasonCode::TaskMissing,
                format!("the worker does not have the task `{}`", self.task),
            ),
            Some(found) => (
                ReasonCode::VersionMismatch,
                format!(
                    "the worker has version {found} of the task `{}`, wanted: {}",
                    self.task, self.version
                ),
            ),
        };
        if let Some(Value::String(health)) = worker.get(&self.health_key) {
            message.push_str(": ");
            message.push_str(health);
        }
        Some(Reason {
            code,
            key: Some(self.version_key.as_str().to_owned()),
            wanted: Some(self.version.into()),
            found: found.cloned(),
            message,
        })
    }

    fn type_reason(&self, worker: &Metadata) -> Option<Reason> {
        if self.has_type(worker) {
            return None;
        }
        let found = worker.get(&self.type_key)?;
        Some(Reason {
            code: ReasonCode::WorkerType,
            key: Some(self.type_key.as_str().to_owned()),
            wanted: Some(WORKER_TYPE.into()),
            found: Some(found.clone()),
            message: format!(
                "the worker is of type {found}, and only `{WORKER_TYPE}` workers execute tasks"
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn codes(data: &Value, declared: Vec<Requirement>, worker: &Value) -> Vec<ReasonCode> {
        let name = TaskName::fold("noop").unwrap();
        let worker = Metadata::parse(&worker.to_string()).unwrap();
        let verdict = Conditions::new(&name, 1, data, declared).verdict(&worker);
        assert_eq!(verdict.can_run(), verdict.reasons.is_empty());
        verdict
            .reasons
            .into_iter()
            .map(|reason| reason.code)
            .collect()
    }

    /// Row `can_run_on`: implied first are version equality and the worker type, then what is declared.
    #[test]
    fn can_run_on() {
        use ReasonCode::{Requirement as Declared, TaskMissing, VersionMismatch, WorkerType};
        let judge = |worker| codes(&json!({}), vec![], &worker);
        assert_eq!(judge(json!({"noop:version": 1})), []);
        assert_eq!(judge(json!({"noop:version": 1.0})), []);
        assert_eq!(judge(json!({"noop:version": 2})), [VersionMismatch]);
        assert_eq!(judge(json!({"noop:version": "1"})), [VersionMismatch]);
        assert_eq!(judge(json!({"noop:version": true})), [VersionMismatch]);
        assert_eq!(judge(json!({"noop:version": null})), [TaskMissing]);
        assert_eq!(judge(json!({})), [TaskMissing]);
        let typed = |kind: &str| judge(json!({"noop:version": 1, "system:worker_type": kind}));
        assert_eq!(typed("external"), []);
        assert_eq!(typed("celery"), [WorkerType]);
        assert_eq!(
            codes(
                &json!({}),
                vec![Requirement::present("a"), Requirement::present("b")],
                &json!({})
            ),
            [TaskMissing, Declared, Declared]
        );
    }

    #[test]
    fn a_named_architecture_is_required() {
        for key in ARCHITECTURE_KEYS {
            let judge = |architectures: &[&str]| {
                codes(
                    &json!({key: "arm64"}),
                    vec![],
                    &json!({"noop:version": 1, "system:architectures": architectures}),
                )
            };
            assert_eq!(judge(&["amd64", "arm64"]), []);
            assert_eq!(judge(&["amd64"]), [ReasonCode::Requirement]);
        }
        let none = codes(
            &json!({"host_architecture": null}),
            vec![],
            &json!({"noop:version": 1}),
        );
        assert_eq!(none, []);
    }

    /// The clauses say one by one what the verdict says of them all.
    #[test]
    fn clauses_give_the_reasons_of_the_verdict() {
        let name = TaskName::fold("noop").unwrap();
        let declared = vec![Requirement::present("a"), Requirement::at_least("b", 2.0)];
        let data = json!({"host_architecture": "arm64"});
        let conditions = Conditions::new(&name, 1, &data, declared);
        for worker in [
            json!({}),
            json!({"noop:version": 2, "a": 1}),
            json!({"noop:version": null}),
            json!({"noop:version": 1, "system:worker_type": "celery", "b": 2}),
            json!({"noop:version": 1, "a": 1, "b": 3, "system:architectures": ["arm64"]}),
        ] {
            let worker = Metadata::parse(&worker.to_string()).unwrap();
            let reasons: Vec<Reason> = conditions
                .clauses()
                .filter_map(|clause| {
                    let holds = conditions.holds(clause, &worker);
                    assert_eq!(holds, conditions.reason(clause, &worker).is_none());
                    let reason = conditions.reason(clause, &worker)?;
                    assert_eq!(reason.code, clause.code());
                    assert_eq!(reason.key.as_deref(), Some(conditions.key(clause)));
                    assert_eq!(reason.wanted, Some(conditions.wanted(clause)));
                    Some(reason)
                })
                .collect();
            assert_eq!(reasons, conditions.verdict(&worker).reasons);
        }
    }

    #[test]
    fn a_missing_task_is_explained_by_its_health() {
        let name = TaskName::fold("noop").unwrap();
        let worker = Metadata::parse(r#"{"noop:health": "killed by SIGSEGV"}"#).unwrap();
        let verdict = Conditions::new(&name, 1, &json!({}), vec![]).verdict(&worker);
        assert_eq!(
            verdict.reasons[0].message,
            "the worker does not have the task `noop`: killed by SIGSEGV"
        );
    }
}
