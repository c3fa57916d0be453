use crate::bay::{Bay, noop, success, task};
use std::thread;
use taskbay_core::{Metadata, TaskName};
use taskbay_engine::{EngineError, Report, Settings};

fn metadata(text: &str) -> Metadata {
    Metadata::parse(text).unwrap()
}

pub(crate) fn static_metadata_overrides_what_is_reported(bay: &Bay) {
    let reported = metadata(r#"{"a": 1, "b": {"x": 1}}"#);
    let before = bay.report_with("w", reported.clone());
    let settings = Settings {
        static_metadata: metadata(r#"{"b": {"y": 2}, "c": null}"#),
        ..Settings::default()
    };
    bay.set("w", &settings);
    let worker = bay.engine.worker("w").unwrap();
    assert_eq!(
        worker.effective,
        metadata(r#"{"a": 1, "b": {"y": 2}, "c": null}"#)
    );
    assert_eq!(worker.reported, reported);
    assert_eq!(worker.settings, settings);
    assert_ne!(worker.metadata_hash.as_ref(), Some(&before));
    // It holds over later reports too, and one that says so itself is no other.
    let after = bay.report_with("w", reported.clone());
    assert_eq!(worker.metadata_hash, Some(after.clone()));
    assert_eq!(bay.report_with("same", worker.effective), after);
    bay.set("w", &Settings::default());
    assert_eq!(bay.engine.worker("w").unwrap().effective, reported);
}

pub(crate) fn an_allow_list_shadows_a_deny_list(bay: &Bay) {
    let set = |allow: Option<Vec<TaskName>>, deny: Option<Vec<TaskName>>| {
        let settings = Settings {
            allow,
            deny,
            ..Settings::default()
        };
        bay.set("w", &settings);
        bay.fitting("w", 0);
        let worker = bay.engine.worker("w").unwrap();
        let got = !bay.work_off("w").is_empty();
        assert_eq!(worker.settings.permits(&noop()), got);
        got
    };
    assert!(set(None, None));
    assert!(!set(None, Some(vec![task("a"), noop()])));
    assert!(set(None, Some(vec![task("a")])));
    assert!(set(Some(vec![noop()]), Some(vec![noop()])));
    assert!(!set(Some(vec![task("a")]), None));
    assert!(!set(Some(Vec::new()), None));
}

pub(crate) fn a_draining_worker_gets_nothing(bay: &Bay) {
    let id = bay.fitting("w", 0);
    let set = |enabled, draining| {
        let settings = Settings {
            enabled,
            draining,
            ..Settings::default()
        };
        bay.set("w", &settings);
    };
    set(true, true);
    assert_eq!(bay.claim("w"), None);
    set(false, false);
    assert_eq!(bay.claim("w"), None);
    let report = Report {
        name: "w".to_owned(),
        slots: 2,
        metadata: bay.engine.worker("w").unwrap().reported,
        instance: 1,
    };
    assert!(!bay.engine.report(&report).unwrap().enabled);
    set(true, false);
    let claim = bay.claim("w").unwrap();
    assert_eq!(claim.lease.request, id);
    let worker = bay.engine.worker("w").unwrap();
    assert_eq!((worker.running, worker.slots), (1, 2));
    set(true, true);
    // What it has it may finish.
    bay.engine.complete(&claim.lease, &success()).unwrap();
    assert_eq!(bay.engine.worker("w").unwrap().running, 0);
}

pub(crate) fn settings_may_come_first(bay: &Bay) {
    let settings = Settings {
        static_metadata: metadata(r#"{"a": 2}"#),
        ..Settings::default()
    };
    bay.set("later", &settings);
    let worker = bay.engine.worker("later").unwrap();
    assert_eq!((worker.last_seen, worker.metadata_hash), (None, None));
    bay.report_with("later", metadata(r#"{"a": 1}"#));
    let worker = bay.engine.worker("later").unwrap();
    assert_eq!(worker.effective, metadata(r#"{"a": 2}"#));
    assert!(worker.last_seen.is_some());
    bay.report("earlier");
    let names: Vec<_> = bay
        .engine
        .workers()
        .unwrap()
        .into_iter()
        .map(|worker| worker.name)
        .collect();
    assert_eq!(names, ["earlier", "later"]);
}

/// Two workers of one name would have each other's metadata in turns.
pub(crate) fn another_process_of_the_name_is_noticed(bay: &Bay) {
    let report = |instance| {
        let report = Report {
            name: "w".to_owned(),
            slots: 1,
            metadata: Metadata::default(),
            instance,
        };
        bay.engine.report(&report).unwrap().is_contested
    };
    let (first, second) = (1, u64::MAX);
    assert!(!report(first) && !report(first));
    assert!(report(second), "the first one may be dead by now");
    assert!(!report(second));
    assert!(report(first), "it is not");
    bay.execute("update workers set last_seen = last_seen - 61000");
    assert!(!report(second), "that was long ago");
    // An administrator who speaks of a worker is no process.
    bay.set("new", &Settings::default());
    let report = Report {
        name: "new".to_owned(),
        slots: 1,
        metadata: Metadata::default(),
        instance: first,
    };
    assert!(!bay.engine.report(&report).unwrap().is_contested);
}

/// Of many who change something of one worker at once, none undoes what another did.
pub(crate) fn settings_are_changed_one_after_the_other(bay: &Bay) {
    thread::scope(|scope| {
        for n in 0..8 {
            scope.spawn(move || {
                let engine = bay.reopened();
                for m in 0..10 {
                    let key = format!("{n}:{m}");
                    let change = |settings: &mut Settings| {
                        settings.static_metadata.insert(&key, true);
                        settings.draining = !settings.draining;
                    };
                    let now = engine.change_worker("w", &change).unwrap();
                    assert_eq!(now.static_metadata.value(&key), Some(&true.into()));
                }
            });
        }
    });
    let settings = bay.engine.worker("w").unwrap().settings;
    assert_eq!(settings.static_metadata.len(), 80);
    assert!(!settings.draining, "an even number of changes");
    bay.report_with("w", metadata(r#"{"0:0": false}"#));
    let effective = bay.engine.worker("w").unwrap().effective;
    assert_eq!(effective.value("0:0"), Some(&true.into()));
}

pub(crate) fn metadata_takes_any_json(bay: &Bay) {
    let odd = metadata(
        r#"{"é\n": [1.5, -0.25, 18446744073709551615, 1e300, true, null, "\\u0000"], "": {}}"#,
    );
    let hash = bay.report_with("w", odd.clone());
    let worker = bay.engine.worker("w").unwrap();
    assert_eq!((&worker.reported, &worker.effective), (&odd, &odd));
    assert_eq!(bay.report_with("w", odd), hash);
    let refused = [
        metadata(r#"{"a": "\u0000"}"#),
        metadata(&format!(r#"{{"a": "{}"}}"#, "x".repeat(1 << 20))),
    ];
    for metadata in refused {
        let report = Report {
            name: "w".to_owned(),
            slots: 1,
            metadata,
            instance: 1,
        };
        assert!(bay.engine.report(&report).is_err());
    }
    let report = Report {
        name: "a\nb".to_owned(),
        slots: 1,
        metadata: Metadata::default(),
        instance: 1,
    };
    assert!(matches!(
        bay.engine.report(&report),
        Err(EngineError::Invalid { .. })
    ));
}

pub(crate) fn an_unknown_worker_is_told(bay: &Bay) {
    let unknown = bay.engine.claim("nobody", crate::bay::LONG).unwrap_err();
    assert!(
        matches!(unknown, EngineError::NotFound { .. }),
        "{unknown:?}"
    );
    assert_eq!(unknown.to_string(), "there is no worker `nobody`");
    assert!(bay.engine.worker("nobody").is_err());
    bay.set("nobody", &Settings::default());
    assert!(
        bay.engine.claim("nobody", crate::bay::LONG).is_err(),
        "it never reported"
    );
}

/// With its settings and the verdicts on it, once it executes nothing.
pub(crate) fn a_worker_is_forgotten(bay: &Bay) {
    bay.fitting("w", 0);
    bay.set("spoken-of", &Settings::default());
    let lease = bay.claim("w").unwrap().lease;
    let error = bay.engine.remove_worker("w").unwrap_err();
    assert!(
        matches!(error, EngineError::Busy { running: 1, .. }),
        "{error:?}"
    );
    assert!(error.help().unwrap().contains("--drain"));
    bay.engine.complete(&lease, &success()).unwrap();
    bay.engine.remove_worker("w").unwrap();
    bay.engine.remove_worker("spoken-of").unwrap();
    assert_eq!(bay.engine.workers().unwrap(), []);
    assert_eq!(bay.number("select count(*) from verdicts"), 0);
    for name in ["w", "never-there"] {
        let error = bay.engine.remove_worker(name).unwrap_err();
        assert!(matches!(error, EngineError::NotFound { .. }), "{error:?}");
    }
    // One that still runs comes back by itself.
    bay.report("w");
    assert_eq!(bay.engine.workers().unwrap().len(), 1);
}
