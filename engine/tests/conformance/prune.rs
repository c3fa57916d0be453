use crate::bay::{Bay, success};
use std::{collections::BTreeMap, time::Duration};
use taskbay_core::Verdict;
use taskbay_engine::{EngineError, LogLevel, NewArtifact, NewFile, NewLogLine, Pruned, Settings};

const DAY: Duration = Duration::from_hours(24);

pub(crate) fn old_requests_go_with_their_logs(bay: &Bay) {
    let done = bay.fitting("w", 0);
    let lease = bay.claim("w").unwrap().lease;
    let line = NewLogLine {
        level: LogLevel::Info,
        message: "a".to_owned(),
    };
    bay.engine.append_log(&lease, &[line]).unwrap();
    let artifact = NewArtifact {
        category: "test".to_owned(),
        data: serde_json::Value::Null,
        files: Vec::new(),
        made_by: Some(lease),
    };
    let artifact = bay.engine.create_artifact(artifact).unwrap();
    bay.engine.complete(&lease, &success()).unwrap();
    let kept = bay.submit(0);
    assert_eq!(bay.engine.prune(DAY).unwrap(), Pruned::default());
    let pruned = bay.engine.prune(Duration::ZERO).unwrap();
    assert_eq!((pruned.requests, pruned.signatures), (1, 1));
    assert!(matches!(
        bay.engine.request(done),
        Err(EngineError::NotFound { .. })
    ));
    assert_eq!(bay.engine.request(kept).unwrap().request.id, kept);
    assert_eq!(bay.engine.artifact(artifact).unwrap().request, None);
    for table in ["log_lines", "attempts", "verdicts"] {
        assert_eq!(
            bay.number(&format!("select count(*) from {table}")),
            0,
            "{table}"
        );
    }
    // A number does not come again.
    assert!(bay.submit(0) > kept);
}

/// However many signatures nobody has, and among those that somebody has.
pub(crate) fn signatures_that_nobody_has_go(bay: &Bay) {
    let numbers = bay.pick(
        "with recursive n(n) as (select 1 union all select n + 1 from n where n < 1200) select n from n",
        "select n from generate_series(1, 1200) n",
    );
    let add = format!(
        "insert into signatures (key, task_name) select 'KIND-' || n, 'noop' from ({numbers}) n"
    );
    bay.execute(&add.replace("KIND", "before"));
    let id = bay.fitting("w", 0);
    bay.execute(&add.replace("KIND", "after"));
    assert_eq!(bay.engine.prune(DAY).unwrap().signatures, 2400);
    assert_eq!(bay.number("select count(*) from signatures"), 1);
    assert_eq!(bay.work_off("w"), [id]);
}

/// What lost attempts left is not taken for somebody's own once nobody knows of them.
pub(crate) fn what_lost_attempts_left_goes_with_their_request(bay: &Bay) {
    let id = bay.fitting("w", 0);
    let create = |made_by| {
        let artifact = NewArtifact {
            category: "test".to_owned(),
            data: serde_json::Value::Null,
            files: Vec::new(),
            made_by,
        };
        bay.engine.create_artifact(artifact).unwrap()
    };
    let lease = || bay.claim("w").unwrap().lease;
    let imported = create(None);
    let first = lease();
    let kept = create(Some(first));
    bay.engine.complete(&first, &success()).unwrap();
    bay.engine.retry(id).unwrap();
    bay.fit(id, "fits", "w");
    let second = lease();
    let released = create(Some(second));
    bay.engine
        .release(&second, "draining", Duration::ZERO)
        .unwrap();
    assert!(bay.engine.sign(id, "fits").unwrap().is_some());
    let third = lease();
    let lost = create(Some(third));
    bay.execute("update attempts set lease_until = 0 where ended_at is null");
    bay.expire();
    assert!(bay.engine.sign(id, "fits").unwrap().is_some());
    let fourth = lease();
    bay.engine.complete(&fourth, &success()).unwrap();
    assert_eq!(bay.engine.prune(DAY).unwrap(), Pruned::default());
    bay.engine.artifact(lost).unwrap();
    let pruned = bay.engine.prune(Duration::ZERO).unwrap();
    assert_eq!((pruned.requests, pruned.artifacts), (1, 2));
    for gone in [released, lost] {
        let gone = bay.engine.artifact(gone);
        assert!(matches!(gone, Err(EngineError::NotFound { .. })));
    }
    bay.engine.artifact(imported).unwrap();
    let found = bay.engine.find_artifact("test", &BTreeMap::new()).unwrap();
    assert_eq!(found.unwrap().id, kept);
}

/// As it looks when a clock is far ahead of all that ever happened, and then is what all goes by.
pub(crate) fn a_clock_that_is_far_ahead_makes_nothing_old(bay: &Bay) {
    let id = bay.fitting("w", 0);
    assert_eq!(bay.work_off("w"), [id]);
    bay.report("gone");
    put_back(bay, 91);
    assert_eq!(bay.engine.prune(90 * DAY).unwrap(), Pruned::default());
    // By the same clock a worker comes, and something is done.
    let second = bay.fitting("w", 0);
    assert_eq!(bay.work_off("w"), [second]);
    for _ in 0..9 {
        assert_eq!(bay.engine.prune(90 * DAY).unwrap(), Pruned::default());
    }
    // It stays as it is: so it is right.
    let looks = (10..99).find(|_| bay.engine.prune(90 * DAY).unwrap().requests > 0);
    assert!((89..=92).contains(&looks.unwrap()), "{looks:?}");
    assert_eq!(bay.number("select count(*) from requests"), 1);
}

/// Nor does one that was far behind keep anything for long.
pub(crate) fn a_clock_that_was_far_behind_keeps_nothing(bay: &Bay) {
    let id = bay.fitting("w", 0);
    assert_eq!(bay.work_off("w"), [id]);
    put_back(bay, 5);
    bay.execute("update upkeep set time = 0");
    let looks = (1..9).find(|_| bay.engine.prune(4 * DAY).unwrap().requests == 1);
    assert!(looks.is_some());
}

/// A piece of a file may belong to one that comes in while the clock is ahead.
pub(crate) fn content_that_comes_in_as_the_clock_jumps_stays(bay: &Bay) {
    let file = NewFile {
        name: "a".to_owned(),
        content: Box::new(&b"here"[..]),
    };
    let artifact = NewArtifact {
        category: "test".to_owned(),
        data: serde_json::Value::Null,
        files: vec![file],
        made_by: None,
    };
    let artifact = bay.engine.create_artifact(artifact).unwrap();
    bay.engine.remove_artifact(artifact).unwrap();
    put_back(bay, 91);
    assert_eq!(bay.engine.prune(DAY).unwrap().chunks, 0);
    assert_eq!(bay.engine.prune(DAY).unwrap().chunks, 1);
}

/// All that happened was so many days ago.
fn put_back(bay: &Bay, days: i64) {
    let span = days * 24 * 3_600_000;
    for (table, moment) in [
        ("requests", "created_at"),
        ("requests", "completed_at"),
        ("workers", "last_seen"),
        ("chunks", "kept_at"),
        ("upkeep", "time"),
    ] {
        bay.execute(&format!("update {table} set {moment} = {moment} - {span}"));
    }
}

/// With what was judged of them; but not what an administrator said, nor who executes something.
pub(crate) fn workers_that_are_gone_go(bay: &Bay) {
    bay.fitting("gone", 0);
    for worker in ["set", "busy", "here"] {
        let hash = bay.report(worker);
        bay.verdict("fits", &hash, Verdict::default());
    }
    let mut settings = Settings::default();
    settings.static_metadata.insert("site:rack", 7);
    bay.set("set", &settings);
    bay.claim("busy").unwrap();
    bay.execute("update workers set last_seen = last_seen - 3600000 * 50 where name <> 'here'");
    assert_eq!(bay.engine.prune(3 * DAY).unwrap().workers, 0);
    assert_eq!(bay.engine.prune(Duration::ZERO).unwrap().workers, 1);
    let left = bay.engine.workers().unwrap();
    let left: Vec<_> = left.iter().map(|worker| worker.name.as_str()).collect();
    assert_eq!(left, ["busy", "here", "set"]);
    assert_eq!(bay.engine.verdicts_of("fits").unwrap().len(), 2);
    assert_eq!(bay.number("select count(*) from verdicts"), 2);
}

pub(crate) fn orphaned_content_goes(bay: &Bay) {
    let create = |content: &'static [u8]| {
        let file = NewFile {
            name: "a".to_owned(),
            content: Box::new(content),
        };
        let artifact = NewArtifact {
            category: "test".to_owned(),
            data: serde_json::Value::Null,
            files: vec![file],
            made_by: None,
        };
        bay.engine.create_artifact(artifact).unwrap()
    };
    let gone = create(b"gone");
    let kept = create(b"kept");
    bay.engine.remove_artifact(gone).unwrap();
    assert_eq!(
        bay.engine.prune(DAY).unwrap().chunks,
        0,
        "it may belong to one that comes in"
    );
    bay.execute("update chunks set kept_at = 0");
    assert_eq!(bay.engine.prune(DAY).unwrap().chunks, 1);
    let mut bytes = Vec::new();
    bay.engine.fetch_file(kept, "a", &mut bytes).unwrap();
    assert_eq!(bytes, b"kept");
}
