//! What a scheduler knows follows what changes: after any changes it does what one does that never knew otherwise.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use taskbay_core::{
    Configured, Metadata, OwnCode, Reason, ReasonCode, Requirement, TaskName, Verdict,
};
use taskbay_scheduler::{
    Explanation, Judge, Matchable, NotAsked, Pending, Request, Scheduler, SignatureId, Worker,
};

const WORKERS: usize = 6;
const TASKS: usize = 4;

#[derive(Clone, Debug)]
enum Change {
    /// A worker comes, or is another one now: its processors, whether it is busy, whether it is denied even tasks.
    Worker(usize, u32, bool, bool),
    Gone(usize),
    Busy(usize, bool),
    /// A task's plugin is replaced by one of that version.
    Replaced(usize, u32),
    Requests(usize, i32),
    Pass,
    Feed(usize),
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (0..WORKERS, 0_u32..5, any::<bool>(), any::<bool>())
            .prop_map(|(at, processors, busy, denied)| Change::Worker(at, processors, busy, denied)),
        1 => (0..WORKERS).prop_map(Change::Gone),
        2 => (0..WORKERS, any::<bool>()).prop_map(|(at, busy)| Change::Busy(at, busy)),
        1 => (0..TASKS, 1_u32..3).prop_map(|(at, version)| Change::Replaced(at, version)),
        3 => (0..TASKS, -1_i32..2).prop_map(|(at, priority)| Change::Requests(at, priority)),
        1 => Just(Change::Pass),
        1 => (0..WORKERS).prop_map(Change::Feed),
    ]
}

/// Says no to workers with three processors.
struct NotThree;

impl Judge for NotThree {
    fn judge(&mut self, _: &Matchable, worker: &Metadata) -> Result<Verdict, NotAsked> {
        let no = worker.value("system:cpu_count") == Some(&3.into());
        let reasons = no.then(|| Reason::new(ReasonCode::Refused, "three"));
        Ok(Verdict {
            reasons: reasons.into_iter().collect(),
        })
    }
}

/// Each needs as many processors as its number says, and those of odd numbers have code of their own.
fn task(at: usize, version: u32) -> Matchable {
    let own_code = (at % 2 == 1).then(OwnCode::default);
    Matchable::new(Request {
        task: TaskName::fold(["even", "odd"][at % 2]).unwrap(),
        version,
        file: version.to_string(),
        configured: Configured {
            data: at.to_string(),
            requirements: vec![Requirement::at_least(
                "system:cpu_count",
                u32::try_from(at).unwrap().into(),
            )],
            own_code,
            ..Configured::default()
        },
    })
}

fn worker(at: usize, processors: u32, is_busy: bool, is_denied: bool) -> Worker {
    let metadata = json!({"even:version": 1, "odd:version": 1, "system:cpu_count": processors});
    let metadata = Metadata::parse(&metadata.to_string()).unwrap();
    let mut worker = Worker::new(format!("w{at}"), metadata);
    worker.is_busy = is_busy;
    let denied = is_denied.then(|| TaskName::fold("even").unwrap());
    worker.lists.deny = denied.into_iter().collect();
    worker
}

/// A scheduler, and beside it all that it should know.
#[derive(Default)]
struct Bay {
    scheduler: Scheduler,
    workers: BTreeMap<usize, Worker>,
    versions: [u32; TASKS],
    waiting: BTreeMap<u64, (usize, Pending)>,
}

impl Bay {
    fn apply(&mut self, change: &Change, request: u64) {
        match *change {
            Change::Worker(at, processors, is_busy, is_denied) => {
                let worker = worker(at, processors, is_busy, is_denied);
                self.scheduler.set_worker(worker.clone());
                self.workers.insert(at, worker);
            }
            Change::Gone(at) => {
                self.scheduler.remove_worker(&format!("w{at}"));
                self.workers.remove(&at);
            }
            Change::Busy(at, is_busy) => {
                self.scheduler.set_busy(&format!("w{at}"), is_busy);
                if let Some(worker) = self.workers.get_mut(&at) {
                    worker.is_busy = is_busy;
                }
            }
            Change::Replaced(at, version) => {
                let old = self.scheduler.add_task(task(at, self.versions[at] + 1));
                self.scheduler.forget_task(old);
                self.waiting.retain(|_, (of, _)| *of != at);
                self.versions[at] = version - 1;
            }
            Change::Requests(at, priority) => {
                let pending = Pending {
                    priority,
                    created: 0,
                    request,
                };
                let signature = self.scheduler.add_task(task(at, self.versions[at] + 1));
                self.scheduler.add(signature, [pending]);
                self.waiting.insert(request, (at, pending));
            }
            Change::Pass => {
                let (mut fresh, _) = self.fresh();
                let expected = fresh.pass(&mut NotThree).unwrap();
                let assigned = self.scheduler.pass(&mut NotThree).unwrap();
                assert_eq!(assigned, expected);
                for each in assigned {
                    self.begins(each.request, &each.worker);
                }
            }
            Change::Feed(at) => {
                let (mut fresh, _) = self.fresh();
                let name = format!("w{at}");
                let expected = fresh.feed(&name, &mut NotThree).unwrap();
                let assigned = self.scheduler.feed(&name, &mut NotThree).unwrap();
                assert_eq!(assigned, expected);
                if let Some(each) = assigned {
                    self.begins(each.request, &each.worker);
                }
            }
        }
    }

    fn begins(&mut self, request: u64, worker: &str) {
        self.waiting.remove(&request);
        let found = self.workers.values_mut().find(|each| each.name == worker);
        found.unwrap().is_busy = true;
    }

    /// A scheduler that is told what holds now, and nothing of what was before; with its names of the tasks.
    fn fresh(&self) -> (Scheduler, Vec<SignatureId>) {
        let mut fresh = Scheduler::default();
        for worker in self.workers.values() {
            fresh.set_worker(worker.clone());
        }
        let tasks = (0..TASKS).map(|at| task(at, self.versions[at] + 1));
        let named: Vec<_> = tasks.map(|task| fresh.add_task(task)).collect();
        for (at, pending) in self.waiting.values() {
            fresh.add(named[*at], [*pending]);
        }
        (fresh, named)
    }

    /// What it says of each task.
    fn explanations(&mut self) -> Vec<Option<Explanation>> {
        let tasks = (0..TASKS).map(|at| task(at, self.versions[at] + 1));
        let scheduler = &mut self.scheduler;
        let explain = |task| {
            let signature = scheduler.add_task(task);
            scheduler.explain(signature, &mut NotThree).unwrap()
        };
        tasks.map(explain).collect()
    }
}

proptest! {
    #[test]
    fn what_changed_is_judged_anew(changes in prop::collection::vec(any_change(), 0..60)) {
        let mut bay = Bay::default();
        for (request, change) in (0..).zip(&changes) {
            bay.apply(change, request);
        }
        let (mut fresh, named) = bay.fresh();
        let expected: Vec<_> = named
            .iter()
            .map(|signature| fresh.explain(*signature, &mut NotThree).unwrap())
            .collect();
        prop_assert_eq!(bay.explanations(), expected);
        bay.apply(&Change::Pass, 0);
        prop_assert_eq!(bay.scheduler.pass(&mut NotThree).unwrap(), []);
    }
}
