use super::*;
use std::sync::Arc;
use taskbay_core::{Abort, Metadata, ReasonCode};
use taskbay_engine::{NewRequest, Report, Status, open};
use taskbay_loader::{SearchPath, Store, TrustPolicy};
use tempfile::TempDir;

/// A folder for an engine and plugins, of which there are none.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("plugins")).unwrap();
        Self(folder)
    }

    fn engine(&self) -> Arc<dyn Engine> {
        open(&format!("sqlite://{}/queue.db", self.0.path().display())).unwrap()
    }

    fn scheduling<'e>(&self, engine: &'e dyn Engine) -> Scheduling<'e> {
        let path = SearchPath::only([self.0.path().join("plugins")]);
        let store = Store::in_directory(self.0.path().join("copies"));
        let live = LiveCatalog::watch(path, TrustPolicy::OwnerOnly, store, None);
        let hosts = || Hosts::in_process(Abort::new());
        Scheduling::new(engine, live.unwrap(), hosts, &Supervisor::new())
    }
}

fn submit(engine: &dyn Engine, task: &str) -> i64 {
    let task = TaskName::fold(task).unwrap();
    engine.submit(&NewRequest::new(task, "{}")).unwrap()
}

#[test]
fn many_signatures_hold_up_nothing_else() {
    let place = Place::new();
    let engine = place.engine();
    for number in 0..=2 * BATCH {
        let id = submit(&*engine, &format!("task-{number}"));
        assert!(engine.sign(id, &format!("signature {number}")).unwrap());
    }
    let id = submit(&*engine, "unknown");
    let (mut scheduling, stop) = (place.scheduling(&*engine), Stop::new());
    assert!(scheduling.round(&stop).unwrap());
    assert!(!scheduling.check.is_done, "all were looked at in one round");
    let status = engine.request(id).unwrap().request.status;
    assert_eq!(status, Status::Completed, "it waited for the others");
    let mut rounds = 1;
    while scheduling.round(&stop).unwrap() {
        rounds += 1;
    }
    assert!(scheduling.check.is_done);
    assert_eq!(rounds, 3);
}

/// What this scheduler cannot judge another one may, and has the time to. What nobody judges is told in the end.
#[test]
fn what_another_scheduler_signed_is_left_to_it() {
    let place = Place::new();
    let engine = place.engine();
    let id = submit(&*engine, "elsewhere");
    assert!(engine.sign(id, "theirs").unwrap());
    let report = Report {
        name: "worker".to_owned(),
        slots: 1,
        metadata: Metadata::default(),
        instance: 1,
    };
    engine.report(&report).unwrap();
    let (mut scheduling, stop) = (place.scheduling(&*engine), Stop::new());
    let verdicts = || engine.verdicts_of("theirs").unwrap();
    for _ in 0..5 {
        scheduling.round(&stop).unwrap();
    }
    assert_eq!(verdicts(), []);
    scheduling.foreign.patience = Duration::ZERO;
    scheduling.round(&stop).unwrap();
    assert_eq!(verdicts()[0].reasons[0].code, ReasonCode::PluginFailed);
}

/// Part by part, and round and round; what comes meanwhile is seen at once.
#[test]
fn all_signatures_are_looked_at_and_the_newest_at_once() {
    let place = Place::new();
    let engine = place.engine();
    let sign = |number: u32| {
        let id = submit(&*engine, "task");
        assert!(engine.sign(id, &format!("signature {number}")).unwrap());
    };
    (0..600).for_each(sign);
    let (mut circle, begun) = (Circle::default(), Instant::now());
    let mut look = |seconds, hashes: &[&str]| {
        circle.meets(hashes.iter().map(|hash| (*hash).to_owned()).collect());
        let now = begun + Duration::from_secs(seconds);
        let (signatures, is_end) = circle.next(&*engine, now).unwrap();
        let keys: HashSet<_> = signatures.into_iter().map(|each| each.key).collect();
        (keys, is_end, circle.goes_on())
    };
    let mut all = HashSet::new();
    for second in 0..3 {
        let (keys, is_end, goes_on) = look(second, &["a"]);
        assert_eq!((is_end, goes_on), (second == 2, second < 2));
        all.extend(keys);
    }
    assert_eq!(all.len(), 600);
    sign(600);
    // It took two seconds, so it rests for eighteen.
    let (keys, _, goes_on) = look(19, &["a"]);
    assert!(keys.contains("signature 600") && !keys.contains("signature 0") && !goes_on);
    assert!(look(20, &["a"]).0.contains("signature 0"));
    look(20, &["a"]);
    assert!(!look(21, &["a"]).2);
    // Metadata that comes lacks all verdicts.
    assert!(look(21, &["a", "b"]).0.contains("signature 0"));
    // A part is of as many pairs, however many kinds of workers there are.
    let hashes: Vec<String> = (0..300).map(|number| format!("{number:03}")).collect();
    let hashes: Vec<&str> = hashes.iter().map(String::as_str).collect();
    assert!(look(60, &hashes).0.len() <= 12);
}
