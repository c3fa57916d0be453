//! Who gets what: against a matcher that tries every request on every worker.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use taskbay_core::{
    Configured, Metadata, OwnCode, Reason, ReasonCode, Requirement, TaskName, Verdict,
};
use taskbay_scheduler::{
    Assignment, Conditional, Judge, Matchable, NotAsked, Outlook, Pending, Request, Scheduler,
    SignatureId, Worker,
};

fn name(text: &str) -> TaskName {
    TaskName::fold(text).unwrap()
}

/// A task `build` that needs this many processors.
fn build(least: u32) -> Matchable {
    Matchable::new(request(least))
}

fn request(least: u32) -> Request {
    let requirement = Requirement::at_least("system:cpu_count", least.into());
    Request {
        task: name("build"),
        version: 1,
        file: "f".to_owned(),
        configured: Configured {
            data: json!({"least": least}).to_string(),
            requirements: vec![requirement],
            ..Configured::default()
        },
    }
}

fn worker(name: &str, processors: u32) -> Worker {
    let metadata = json!({"build:version": 1, "system:cpu_count": processors});
    Worker::new(name, Metadata::parse(&metadata.to_string()).unwrap())
}

fn pending(priority: i32, created: i64, request: u64) -> Pending {
    Pending {
        priority,
        created,
        request,
    }
}

fn pairs(assignments: &[Assignment]) -> Vec<(u64, &str)> {
    assignments
        .iter()
        .map(|each| (each.request, &*each.worker))
        .collect()
}

/// Says no to the workers with an odd number of processors, and counts how often it is asked.
#[derive(Default)]
struct Odd {
    asked: usize,
}

impl Judge for Odd {
    fn judge(&mut self, _: &Matchable, worker: &Metadata) -> Result<Verdict, NotAsked> {
        self.asked += 1;
        let processors = worker.value("system:cpu_count").unwrap().as_u64().unwrap();
        let odd = Reason::new(ReasonCode::Refused, "an odd number");
        let reasons = if processors % 2 == 1 {
            vec![odd]
        } else {
            vec![]
        };
        Ok(Verdict { reasons })
    }
}

#[test]
fn what_fits_nobody_holds_up_nothing_behind_it() {
    let mut scheduler = Scheduler::default();
    scheduler.set_worker(worker("a", 2));
    scheduler.set_worker(worker("b", 2));
    let (huge, small) = (scheduler.add_task(build(100)), scheduler.add_task(build(1)));
    scheduler.add(huge, (0..10).map(|request| pending(9, 0, request)));
    scheduler.add(
        small,
        [pending(0, 2, 10), pending(0, 1, 11), pending(1, 3, 12)],
    );
    let assigned = scheduler.pass(&mut Conditional).unwrap();
    assert_eq!(pairs(&assigned), [(12, "a"), (11, "b")]);
    assert_eq!(
        scheduler.outlook(huge, &mut Conditional).unwrap(),
        Outlook::Never
    );
    assert_eq!(
        scheduler.outlook(small, &mut Conditional).unwrap(),
        Outlook::Busy
    );
    assert_eq!(scheduler.pass(&mut Conditional).unwrap(), []);
    scheduler.set_busy("b", false);
    let assigned = scheduler.feed("b", &mut Conditional).unwrap().unwrap();
    assert_eq!(pairs(&[assigned]), [(10, "b")]);
    assert_eq!(scheduler.feed("b", &mut Conditional).unwrap(), None);
}

#[test]
fn a_request_that_comes_is_placed_or_waits() {
    let mut scheduler = Scheduler::default();
    scheduler.set_worker(worker("a", 2));
    let small = scheduler.add_task(build(1));
    let placed = scheduler
        .place(small, pending(0, 0, 1), &mut Conditional)
        .unwrap();
    assert_eq!(pairs(&[placed.unwrap()]), [(1, "a")]);
    let placed = scheduler
        .place(small, pending(0, 0, 2), &mut Conditional)
        .unwrap();
    assert_eq!(placed, None);
    scheduler.remove_worker("a");
    assert_eq!(
        scheduler.outlook(small, &mut Conditional).unwrap(),
        Outlook::Never
    );
    scheduler.set_worker(worker("b", 2));
    // It waits already, and is told of once more.
    let placed = scheduler
        .place(small, pending(0, 0, 2), &mut Conditional)
        .unwrap();
    assert_eq!(pairs(&[placed.unwrap()]), [(2, "b")]);
    scheduler.set_busy("b", false);
    assert_eq!(scheduler.feed("b", &mut Conditional).unwrap(), None);
    let late = pending(0, 0, 3);
    scheduler.add(small, [late]);
    let fed = scheduler.feed("b", &mut Conditional).unwrap().unwrap();
    assert_eq!(pairs(&[fed]), [(3, "b")]);
}

/// Own code is asked once for each signature and metadata, however many requests and workers there are, and only where
/// the conditions hold.
#[test]
fn own_code_is_asked_once() {
    let mut scheduler = Scheduler::default();
    for number in 0..40 {
        // 1, 2, 3 or 4 processors.
        let mut worker = worker(&format!("w{number:02}"), 1 + number % 4);
        worker.is_busy = number >= 20;
        scheduler.set_worker(worker);
    }
    let mut request = request(2);
    request.configured.own_code = Some(OwnCode::default());
    let signature = scheduler.add_task(Matchable::new(request));
    scheduler.add(signature, (0..1000).map(|request| pending(0, 0, request)));
    let mut odd = Odd::default();
    let assigned = scheduler.pass(&mut odd).unwrap();
    let workers: BTreeSet<_> = assigned.iter().map(|each| &*each.worker).collect();
    assert_eq!(workers.len(), 10);
    assert_eq!(odd.asked, 3);
    scheduler.pass(&mut odd).unwrap();
    scheduler.explain(signature, &mut odd).unwrap();
    scheduler.set_worker(worker("another", 4));
    scheduler.pass(&mut odd).unwrap();
    assert_eq!(odd.asked, 3);
    scheduler.set_worker(worker("yet another", 6));
    scheduler.pass(&mut odd).unwrap();
    assert_eq!(odd.asked, 4);
    let refused = scheduler
        .verdict(signature, "w02", &mut odd)
        .unwrap()
        .unwrap();
    assert_eq!(refused.reasons[0].message, "an odd number");
}

#[test]
fn a_plugin_that_could_not_be_asked_may_be_asked_again() {
    struct Failing(usize);
    impl Judge for Failing {
        fn judge(&mut self, _: &Matchable, _: &Metadata) -> Result<Verdict, NotAsked> {
            self.0 += 1;
            let reason = Reason::new(ReasonCode::PluginFailed, "it crashed");
            let reasons = if self.0 < 2 { vec![reason] } else { vec![] };
            Ok(Verdict { reasons })
        }
    }
    let mut scheduler = Scheduler::default();
    scheduler.set_worker(worker("a", 2));
    let mut request = request(2);
    request.configured.own_code = Some(OwnCode::default());
    let signature = scheduler.add_task(Matchable::new(request));
    let mut failing = Failing(0);
    assert_eq!(
        scheduler.outlook(signature, &mut failing).unwrap(),
        Outlook::Never
    );
    assert_eq!(
        scheduler.outlook(signature, &mut failing).unwrap(),
        Outlook::Never
    );
    scheduler.forget_failed();
    assert_eq!(
        scheduler.outlook(signature, &mut failing).unwrap(),
        Outlook::Runnable
    );
    scheduler.forget_failed();
    assert_eq!(
        scheduler.outlook(signature, &mut failing).unwrap(),
        Outlook::Runnable
    );
    assert_eq!(failing.0, 2);
}

/// Nobody is to blame, so nothing is decided, and it is asked again.
#[test]
fn where_no_plugin_can_be_asked_nothing_is_decided() {
    struct Interrupted(usize);
    impl Judge for Interrupted {
        fn judge(&mut self, _: &Matchable, _: &Metadata) -> Result<Verdict, NotAsked> {
            self.0 += 1;
            match self.0 {
                1 => Err(NotAsked("it was interrupted".to_owned())),
                _ => Ok(Verdict::default()),
            }
        }
    }
    let mut scheduler = Scheduler::default();
    scheduler.set_worker(worker("a", 2));
    let mut request = request(2);
    request.configured.own_code = Some(OwnCode::default());
    let signature = scheduler.add_task(Matchable::new(request));
    scheduler.add(signature, [pending(0, 0, 1)]);
    let mut judge = Interrupted(0);
    assert!(scheduler.pass(&mut judge).is_err());
    let assigned = scheduler.pass(&mut judge).unwrap();
    assert_eq!(pairs(&assigned), [(1, "a")]);
}

/// A worker, as numbers: processors, whether it is busy, what its lists say.
type AnyWorker = (u32, bool, Option<bool>, bool);
/// A request, as numbers: the least number of processors, priority, age.
type AnyRequest = (u32, i32, i64);

fn any_worker((processors, is_busy, allow, deny): AnyWorker, number: usize) -> Worker {
    let mut worker = worker(&format!("w{number:03}"), processors);
    worker.is_busy = is_busy;
    let listed = |listed: bool| {
        if listed {
            [name("build")].into()
        } else {
            BTreeSet::new()
        }
    };
    worker.lists.allow = allow.map(listed);
    worker.lists.deny = listed(deny);
    worker
}

/// Every request in turn, on every worker in turn.
fn naive(workers: &[Worker], requests: &[AnyRequest]) -> Vec<(u64, String)> {
    let mut order: Vec<usize> = (0..requests.len()).collect();
    order.sort_by_key(|at| (-requests[*at].1, requests[*at].2, *at));
    let mut idle: BTreeMap<_, _> = workers
        .iter()
        .filter(|worker| !worker.is_busy)
        .map(|worker| (worker.name.clone(), worker))
        .collect();
    let mut assigned = Vec::new();
    for at in order {
        let task = build(requests[at].0);
        let suits = |worker: &&Worker| {
            task.conditions().verdict(&worker.metadata).can_run()
                && worker.lists.permit(&name("build"))
        };
        let found = idle
            .values()
            .find(|worker| suits(worker))
            .map(|worker| worker.name.clone());
        if let Some(found) = found {
            idle.remove(&found);
            assigned.push((at as u64, found));
        }
    }
    assigned
}

proptest! {
    #[test]
    fn agrees_with_a_matcher_that_tries_everything(
        workers in prop::collection::vec((1_u32..5, any::<bool>(), any::<Option<bool>>(), any::<bool>()), 0..12),
        requests in prop::collection::vec((1_u32..6, -2_i32..2, 0_i64..4), 0..24),
        one_by_one in any::<bool>(),
    ) {
        let workers: Vec<_> = workers.into_iter().enumerate().map(|(at, each)| any_worker(each, at)).collect();
        let mut scheduler = Scheduler::default();
        for worker in &workers {
            scheduler.set_worker(worker.clone());
        }
        for (at, (least, priority, created)) in requests.iter().enumerate() {
            let signature: SignatureId = scheduler.add_task(build(*least));
            scheduler.add(signature, [pending(*priority, *created, at as u64)]);
        }
        let expected = naive(&workers, &requests);
        if one_by_one {
            // Whichever worker asks gets the best that it can do.
            let mut left = requests.clone();
            for worker in &workers {
                if let Some(assigned) = scheduler.feed(&worker.name, &mut Conditional).unwrap() {
                    prop_assert!(!worker.is_busy);
                    // The best of those that are left and that it suits.
                    let alone = naive(std::slice::from_ref(worker), &left);
                    prop_assert_eq!(alone[0].0, assigned.request);
                    left[usize::try_from(assigned.request).unwrap()].0 = u32::MAX;
                    prop_assert_eq!(&*assigned.worker, worker.name.as_str());
                }
            }
        } else {
            let assigned = scheduler.pass(&mut Conditional).unwrap();
            let assigned: Vec<_> = pairs(&assigned).into_iter().map(|(id, to)| (id, to.to_owned())).collect();
            prop_assert_eq!(assigned, expected);
        }
        prop_assert_eq!(scheduler.pass(&mut Conditional).unwrap(), []);
    }
}
