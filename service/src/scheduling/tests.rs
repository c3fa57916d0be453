use super::*;
use sqlx::{Connection, SqliteConnection};
use std::sync::Arc;
use taskbay_core::{Abort, Metadata, ReasonCode};
use taskbay_engine::{NewRequest, Report, Status, open};
use taskbay_loader::{SearchPath, Store, TrustPolicy};
use tempfile::TempDir;

mod crowded;

/// A folder for an engine and plugins, of which there are none.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("plugins")).unwrap();
        Self(folder)
    }

    fn engine(&self) -> Arc<dyn Engine> {
        open(&self.url()).unwrap()
    }

    fn url(&self) -> String {
        format!("sqlite://{}/queue.db", self.0.path().display())
    }

    /// A statement past the engine.
    fn execute(&self, sql: &'static str) {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let done = runtime.unwrap().block_on(async {
            let mut connection = SqliteConnection::connect(&self.url()).await?;
            sqlx::query(sql).execute(&mut connection).await?;
            connection.close().await
        });
        done.unwrap();
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

/// Reports a worker of that name with metadata of its own.
fn report(engine: &dyn Engine, name: &str) {
    let mut metadata = Metadata::default();
    metadata.insert("test:name", name);
    let report = Report {
        name: name.to_owned(),
        slots: 1,
        metadata,
        instance: 1,
    };
    engine.report(&report).unwrap();
}

#[test]
fn many_signatures_hold_up_nothing_else() {
    let place = Place::new();
    let engine = place.engine();
    for number in 0..=2 * BATCH {
        let id = submit(&*engine, &format!("task-{number}"));
        assert!(
            engine
                .sign(id, &format!("signature {number}"))
                .unwrap()
                .is_some()
        );
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

/// Nor does what the database does not take.
#[test]
fn what_cannot_be_signed_keeps_nothing_from_being_judged() {
    let place = Place::new();
    let engine = place.engine();
    let id = submit(&*engine, "elsewhere");
    assert!(engine.sign(id, "theirs").unwrap().is_some());
    report(&*engine, "worker");
    submit(&*engine, "unknown");
    place.execute(
        "create trigger broken before update on requests when new.status = 'completed'
        begin select raise(abort, 'broken'); end",
    );
    let (mut scheduling, stop) = (place.scheduling(&*engine), Stop::new());
    scheduling.foreign.patience = Duration::ZERO;
    let round = scheduling.round(&stop);
    assert!(matches!(round, Err(Setback::Engine(_))), "{round:?}");
    assert_eq!(engine.verdicts_of("theirs").unwrap().len(), 1);
}

/// What this scheduler cannot judge another one may, and has the time to. What nobody judges is told in the end.
#[test]
fn what_another_scheduler_signed_is_left_to_it() {
    let place = Place::new();
    let engine = place.engine();
    let id = submit(&*engine, "elsewhere");
    assert!(engine.sign(id, "theirs").unwrap().is_some());
    report(&*engine, "worker");
    let (mut scheduling, stop) = (place.scheduling(&*engine), Stop::new());
    let verdicts = || engine.verdicts_of("theirs").unwrap();
    for _ in 0..5 {
        scheduling.round(&stop).unwrap();
    }
    assert_eq!(verdicts(), []);
    scheduling.foreign.patience = Duration::ZERO;
    // It may rest for a moment.
    for _ in 0..1000 {
        scheduling.round(&stop).unwrap();
        if !verdicts().is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(verdicts()[0].reasons[0].code, ReasonCode::PluginFailed);
}

/// Part by part, and round and round; what comes meanwhile is seen at once.
#[test]
fn all_signatures_are_looked_at_and_the_newest_at_once() {
    let place = Place::new();
    let engine = place.engine();
    let sign = |number: u32| {
        let id = submit(&*engine, "task");
        assert!(
            engine
                .sign(id, &format!("signature {number}"))
                .unwrap()
                .is_some()
        );
    };
    (0..600).for_each(sign);
    let mut circle = Circle::default();
    let (begun, took) = (Instant::now(), Duration::from_secs(1));
    let mut look = |seconds, hashes: &[&str]| {
        let now = begun + Duration::from_secs(seconds);
        let look = circle.next(&*engine, true, true, now).unwrap();
        let hashes = hashes.iter().map(|hash| (*hash).to_owned()).collect();
        circle.has_looked(&look, hashes, took, now);
        let keys: HashSet<_> = look.signatures.into_iter().map(|each| each.key).collect();
        (keys, circle.goes_on())
    };
    let mut walk = |second: &mut u64, hashes: &[&str]| {
        let mut all = HashSet::new();
        loop {
            let (keys, goes_on) = look(*second, hashes);
            all.extend(keys);
            if !goes_on {
                return all;
            }
        }
    };
    let mut now = 0;
    assert_eq!(walk(&mut now, &["a"]).len(), 600);
    // That took some seconds, so it rests.
    assert_eq!(walk(&mut now, &["a"]).len(), 0);
    sign(600);
    now += 5;
    assert_eq!(
        walk(&mut now, &["a"]),
        HashSet::from(["signature 600".to_owned()])
    );
    // It rests no longer than that.
    now += 30;
    assert_eq!(walk(&mut now, &["a"]).len(), 601);
    assert_eq!(walk(&mut now, &["a"]).len(), 0);
    // Metadata that comes lacks all verdicts.
    walk(&mut now, &["a", "b"]);
    assert_eq!(walk(&mut now, &["a", "b"]).len(), 601);
    // A part is of as many pairs, however many kinds of workers there are.
    let hashes: Vec<String> = (0..300).map(|number| format!("{number:03}")).collect();
    let hashes: Vec<&str> = hashes.iter().map(String::as_str).collect();
    look(now, &hashes);
    assert!(look(now, &hashes).0.len() <= 6);
}

/// What comes while the walk goes on has it begin once more.
#[test]
fn a_walk_is_repeated_for_what_came_meanwhile() {
    let place = Place::new();
    let engine = place.engine();
    for number in 0..600 {
        let id = submit(&*engine, "task");
        assert!(
            engine
                .sign(id, &format!("signature {number}"))
                .unwrap()
                .is_some()
        );
    }
    let (mut circle, now) = (Circle::default(), Instant::now());
    let mut first = 0;
    let mut seen = 0;
    for round in 0..20 {
        let look = circle.next(&*engine, true, true, now).unwrap();
        let hashes = ["a", "b"][..=usize::from(round > 6)].iter();
        circle.has_looked(
            &look,
            hashes.map(|hash| (*hash).to_owned()).collect(),
            Duration::from_secs(9),
            now,
        );
        let has_first = look.signatures.iter().any(|each| each.key == "signature 0");
        first += usize::from(has_first);
        seen += usize::from(has_first && round > 6);
    }
    assert!(seen >= 1, "{first} looks at the first, none since");
}
