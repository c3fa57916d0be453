//! Why a request is run by nobody, and what would make a worker fit.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::{Value, json};
use taskbay_core::{
    Configured, Metadata, OwnCode, Reason, ReasonCode, Requirement, TaskName, Verdict,
};
use taskbay_scheduler::{
    Conditional, Judge, Matchable, NotAsked, Outlook, Pending, Request, Scheduler, Worker,
};

fn fleet(workers: &[(&str, Value)]) -> Scheduler {
    let mut scheduler = Scheduler::default();
    for (name, metadata) in workers {
        let metadata = Metadata::parse(&metadata.to_string()).unwrap();
        scheduler.set_worker(Worker::new(*name, metadata));
    }
    scheduler
}

fn explain(scheduler: &mut Scheduler, requirements: Vec<Requirement>) -> Value {
    let task = Matchable::new(Request {
        task: TaskName::fold("build").unwrap(),
        version: 2,
        file: "f".to_owned(),
        configured: Configured {
            data: "{}".to_owned(),
            requirements,
            ..Configured::default()
        },
    });
    let signature = scheduler.add_task(task);
    serde_json::to_value(scheduler.explain(signature, &mut Conditional).unwrap()).unwrap()
}

#[test]
fn each_condition_has_its_workers_and_the_nearest_is_named() {
    let mut scheduler = fleet(&[
        (
            "a",
            json!({"build:version": 2, "unshare": false, "cpus": 1}),
        ),
        (
            "b",
            json!({"build:version": 2, "unshare": false, "cpus": 9}),
        ),
        ("c", json!({"build:version": 1, "unshare": true, "cpus": 9})),
        ("d", json!({"unshare": false})),
    ]);
    let requirements = vec![
        Requirement::equals("unshare", true).because("user namespaces are not permitted"),
        Requirement::at_least("cpus", 4.0),
    ];
    let said = explain(&mut scheduler, requirements);
    assert_eq!(said["verdict"], "never");
    let row = |at: usize| {
        let row = &said["conditions"][at];
        (
            row["code"].as_str().unwrap(),
            row["passing"].as_u64().unwrap(),
            row["failing"].clone(),
        )
    };
    assert_eq!(row(0), ("task-missing", 3, json!(["d"])));
    assert_eq!(row(1), ("version-mismatch", 3, json!(["c"])));
    assert_eq!(row(2), ("worker-type", 4, json!([])));
    assert_eq!(row(3), ("requirement", 1, json!(["a", "b", "d"])));
    assert_eq!(row(4), ("requirement", 2, json!(["a", "d"])));
    assert_eq!(row(5), ("denied", 4, json!([])));
    assert_eq!(said["conditions"][3]["key"], "unshare");
    assert_eq!(said["conditions"][3]["wanted"], true);
    // Both lack one thing; the first by name is named.
    assert_eq!(said["nearest"]["worker"], "b");
    let missing = said["nearest"]["missing"].as_array().unwrap();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0]["code"], "requirement");
    assert_eq!(
        missing[0]["message"],
        "`unshare` is false, wanted: true: user namespaces are not permitted"
    );
    assert_eq!(
        said["skew"],
        json!([
            {"version": 1, "workers": ["c"]},
            {"version": 2, "workers": ["a", "b"]},
            {"version": null, "workers": ["d"]},
        ])
    );
}

/// Says no to `a`, cannot be asked of `b`, and says yes to the others.
struct Own;

impl Judge for Own {
    fn judge(&mut self, _: &Matchable, worker: &Metadata) -> Result<Verdict, NotAsked> {
        let reason = match worker.value("who").and_then(Value::as_str) {
            Some("a") => Reason::new(ReasonCode::Refused, "not you"),
            Some("b") => Reason::new(ReasonCode::PluginFailed, "it crashed"),
            _ => return Ok(Verdict::default()),
        };
        let reasons = vec![reason];
        Ok(Verdict { reasons })
    }
}

/// What a task's own code says is told apart from that it crashed, and from that it was not asked.
#[test]
fn own_code_is_explained_too() {
    let mut scheduler = fleet(&[
        ("a", json!({"build:version": 2, "who": "a"})),
        ("b", json!({"build:version": 2, "who": "b"})),
        ("c", json!({"build:version": 2, "who": "c"})),
        ("d", json!({"build:version": 1, "who": "d"})),
    ]);
    let task = Matchable::new(Request {
        task: TaskName::fold("build").unwrap(),
        version: 2,
        file: "f".to_owned(),
        configured: Configured {
            data: "{}".to_owned(),
            requirements: Vec::new(),
            own_code: Some(OwnCode::default()),
            ..Configured::default()
        },
    });
    let signature = scheduler.add_task(task);
    let said = scheduler.explain(signature, &mut Own).unwrap().unwrap();
    assert_eq!(said.verdict, Outlook::Runnable);
    let row = |code| said.conditions.iter().find(|row| row.code == code).unwrap();
    let own = row(ReasonCode::Refused);
    assert_eq!(
        (own.passing, &own.failing[..], own.unasked),
        (1, &["a".to_owned()][..], 1)
    );
    assert_eq!(row(ReasonCode::PluginFailed).failing, ["b"]);
    // One that lacks a permission only is the nearest.
    let metadata = Metadata::parse(r#"{"build:version": 2}"#).unwrap();
    let mut denied = Worker::new("c", metadata);
    denied.lists.deny = [TaskName::fold("build").unwrap()].into();
    scheduler.set_worker(denied);
    scheduler.remove_worker("a");
    scheduler.remove_worker("b");
    let said = scheduler.explain(signature, &mut Own).unwrap().unwrap();
    let nearest = said.nearest.unwrap();
    assert_eq!(
        (nearest.worker.as_str(), nearest.missing[0].code),
        ("c", ReasonCode::Denied)
    );
    scheduler.forget_task(signature);
    assert_eq!(scheduler.explain(signature, &mut Own).unwrap(), None);
}

#[test]
fn what_fits_needs_no_nearest_and_an_empty_fleet_has_none() {
    let mut scheduler = fleet(&[("a", json!({"build:version": 2}))]);
    let said = explain(&mut scheduler, vec![]);
    assert_eq!(
        (&said["verdict"], &said["nearest"]),
        (&json!("runnable"), &Value::Null)
    );
    assert_eq!(said.get("skew"), None);
    scheduler.set_busy("a", true);
    assert_eq!(explain(&mut scheduler, vec![])["verdict"], "busy");
    let said = explain(&mut fleet(&[]), vec![]);
    assert_eq!(
        (&said["verdict"], &said["nearest"]),
        (&json!("never"), &Value::Null)
    );
    assert_eq!(said["conditions"][0]["passing"], 0);
}

/// A worker that is away does not vanish: it is counted, and what keeps it away is told as what it lacks.
#[test]
fn who_is_away_is_told_of() {
    let mut scheduler = fleet(&[]);
    let metadata = Metadata::parse(r#"{"build:version": 2}"#).unwrap();
    let mut worker = Worker::new("a", metadata);
    worker.lists.away = Some("it is draining".to_owned());
    scheduler.set_worker(worker.clone());
    let said = explain(&mut scheduler, vec![]);
    assert_eq!(said["verdict"], "never");
    assert_eq!(
        said["nearest"],
        json!({
            "worker": "a",
            "missing": [{"code": "unavailable", "key": null, "wanted": null, "found": null, "message": "it is draining"}],
        })
    );
    let row = said["conditions"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&row["code"], &row["passing"], &row["failing"]),
        (&json!("unavailable"), &json!(0), &json!(["a"]))
    );
    assert_eq!(said["conditions"][0]["passing"], 1);
    assert_eq!(
        said["away"],
        json!([{"worker": "a", "reason": "it is draining"}])
    );
    // It is back.
    worker.lists.away = None;
    scheduler.set_worker(worker);
    let said = explain(&mut scheduler, vec![]);
    assert_eq!(
        (&said["verdict"], said.get("away")),
        (&json!("runnable"), None)
    );
}

/// Nothing is assigned to a worker that is away, and its verdict says why.
#[test]
fn who_is_away_gets_nothing() {
    let mut scheduler = fleet(&[]);
    let mut worker = Worker::new("a", Metadata::parse(r#"{"build:version": 2}"#).unwrap());
    worker.lists.away = Some("it is disabled".to_owned());
    scheduler.set_worker(worker);
    let signature = scheduler.add_task(Matchable::new(Request {
        task: TaskName::fold("build").unwrap(),
        version: 2,
        file: "f".to_owned(),
        configured: Configured {
            data: "{}".to_owned(),
            requirements: Vec::new(),
            ..Configured::default()
        },
    }));
    let pending = Pending {
        priority: 0,
        created: 0,
        request: 1,
    };
    scheduler.add(signature, [pending]);
    assert_eq!(scheduler.pass(&mut Conditional).unwrap(), []);
    assert_eq!(scheduler.feed("a", &mut Conditional).unwrap(), None);
    let verdict = scheduler.verdict(signature, "a", &mut Conditional);
    let reasons = verdict.unwrap().unwrap().reasons;
    assert_eq!(reasons[0].code, ReasonCode::Unavailable);
}
