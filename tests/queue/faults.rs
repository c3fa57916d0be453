//! Schedulers, workers and databases that are killed in the middle of a thousand requests.

use crate::{
    bay::{Bay, Service},
    database::Database,
    ledger::{Crowd, Ledger, Lock, submit},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

/// How many requests there are: enough for something to be in every state when it dies.
const MANY: i64 = 1000;

/// Submits many requests, and notes what becomes of them.
fn many(bay: &Bay) -> Ledger {
    let ledger = Ledger::of(bay);
    submit(&*bay.engine(), MANY);
    ledger
}

/// Nothing is lost, and nothing recorded twice.
fn ends_well(bay: &Bay, ledger: &Ledger) {
    ledger.wait_for(bay, MANY);
    ledger.all_succeeded(MANY);
}

pub(crate) fn a_scheduler_is_killed_among_a_thousand_requests(bay: &Bay) {
    let ledger = many(bay);
    let _workers = [bay.wide_worker("first"), bay.wide_worker("second")];
    for part in 1..=4 {
        let scheduler = bay.scheduler();
        ledger.wait_for(bay, part * 200);
        scheduler.signal(Signal::KILL);
        scheduler.ends();
    }
    let _scheduler = bay.scheduler();
    ends_well(bay, &ledger);
}

pub(crate) fn two_schedulers_share_many_requests(bay: &Bay) {
    let _schedulers = [bay.scheduler(), bay.scheduler()];
    let ledger = Ledger::of(bay);
    submit(&*bay.engine(), 300);
    let _workers = [bay.wide_worker("first"), bay.wide_worker("second")];
    ledger.wait_for(bay, 300);
    ledger.all_succeeded(300);
    // None was begun in vain.
    assert_eq!(ledger.count("select count(*) from attempts"), 300);
}

/// The commands that run meanwhile find it again by themselves.
pub(crate) fn a_database_is_killed_among_a_thousand_requests() {
    let Some(mut database) = Database::start("") else {
        return;
    };
    let bay = Bay::at(database.url("postgres"));
    let ledger = many(&bay);
    let mut services = vec![
        bay.scheduler(),
        bay.wide_worker("first"),
        bay.wide_worker("second"),
    ];
    for (part, die) in (1..).zip([Database::kill, Database::crash, Database::kill]) {
        ledger.wait_for(&bay, 150 * part);
        die(&database);
        if part == 2 {
            // One that comes meanwhile waits for it.
            services.push(bay.wide_worker("third"));
            // Longer than a lease: what ran meanwhile is another's after that, or told late.
            thread::sleep(Duration::from_secs(4));
        }
        database.restart();
    }
    ends_well(&bay, &ledger);
    let third = "select count(*) from attempts where worker = 'third'";
    assert!(ledger.count(third) > 0, "{}", bay.logs());
    for service in services {
        service.signal(Signal::TERM);
        assert_eq!(service.ends(), Some(0), "{}", bay.logs());
    }
}

/// One process that is both worker and scheduler, with its database in a file.
pub(crate) fn a_service_is_killed_among_a_thousand_requests() {
    let bay = Bay::sqlite();
    let ledger = many(&bay);
    let serve = || {
        bay.start(&[
            "serve", "--name", "here", "--slots", "8", "--lease", "3s", "--grace", "1s",
        ])
    };
    for part in 1..=4 {
        let service = serve();
        ledger.wait_for(&bay, part * 200);
        service.signal(Signal::KILL);
        service.ends();
    }
    let _service = serve();
    ends_well(&bay, &ledger);
}

/// More than the server has connections for, and with a worker's rights alone: each is told so, tries again, and gets its turn.
/// A hundred of them in `make test-full`; what they cost is that they start at once.
pub(crate) fn more_workers_come_at_once_than_there_are_connections() {
    let is_long = std::env::var_os("TASKBAY_TEST_FULL").is_some();
    let (workers, connections): (i64, _) = if is_long { (100, 40) } else { (16, 10) };
    let Some(database) = Database::start(&format!("-c max_connections={connections}")) else {
        return;
    };
    let bay = Bay::at(database.url("postgres"));
    let ledger = Ledger::of(&bay);
    let requests = 2 * workers;
    submit(&*bay.engine(), requests);
    ledger.execute("create role farmhand login in role taskbay_worker");
    let crowd = Crowd::at(&bay.url);
    let _scheduler = bay.scheduler();
    let url = database.url_of("farmhand", "postgres");
    let start = |number| {
        let name = format!("worker-{number}");
        let arguments = [
            "worker", "--name", &name, "--slots", "1", "--lease", "3s", "--grace", "1s",
        ];
        bay.start_with(&arguments, &[("TASKBAY_ENGINE", &url)])
    };
    let services: Vec<Service> = (0..workers).map(start).collect();
    bay.wait_until(|| bay.logs().contains("too many clients"));
    drop(crowd);
    ledger.wait_for(&bay, requests);
    ledger.all_succeeded(requests);
    // Every one of them gets through in the end.
    let known = || {
        ledger
            .try_count("select count(*) from workers")
            .unwrap_or(0)
    };
    bay.wait_until(|| known() == workers);
    drop(services);
}

/// Nor does whoever waits for a result have to wait anew.
pub(crate) fn a_database_is_killed_while_somebody_waits() {
    let Some(mut database) = Database::start("") else {
        return;
    };
    let bay = Bay::at(database.url("postgres"));
    let _serve = bay.start(&["serve", "--slots", "1"]);
    let mut submit = bay.command(&["submit", "sleep", r#"{"seconds": 10}"#, "--wait"]);
    let submit = submit.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    bay.wait_until(|| bay.run(&["show", "1"]).stdout.contains("is running"));
    database.crash();
    // Longer than a connection is waited for.
    thread::sleep(Duration::from_secs(12));
    database.restart();
    let ended = submit.unwrap().wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert!(said.contains("; trying again"), "{said}");
    assert!(String::from_utf8_lossy(&ended.stdout).ends_with("success\n"));
}

/// Whoever wants to end need not wait for a server that does not answer, and hears that what he asked for may be done.
pub(crate) fn a_submit_without_an_answer_ends_when_told_to() {
    let Some(database) = Database::start("") else {
        return;
    };
    let bay = Bay::at(database.url("postgres"));
    let engine = bay.engine();
    let ledger = Ledger::at(&bay);
    let lock = Lock::of_requests(&bay.url);
    let submits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'taskbay'";
    let submit = || {
        let mut submit = bay.command(&["submit", "noop", "{}"]);
        let submit = submit.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        bay.wait_until(|| ledger.count(submits) == 1);
        submit.unwrap()
    };
    let told = submit();
    kill_process(Pid::from_child(&told), Signal::INT).unwrap();
    let told = told.wait_with_output().unwrap();
    let remedy = "look at `taskbay requests` first";
    let said = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(7), "{said}");
    assert!(said.contains(remedy), "{said}");
    bay.wait_until(|| ledger.count(submits) == 0);
    let cut_off = submit();
    database.crash();
    let cut_off = cut_off.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&cut_off.stderr);
    assert_eq!(cut_off.status.code(), Some(6), "{said}");
    assert!(said.contains(remedy), "{said}");
    // One that is not there at all.
    let mut submit = bay.command(&["submit", "noop", "{}"]);
    let submit = submit.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let submit = submit.unwrap();
    // It has begun to look for the server by then, or ends before; the server is looked for for ten seconds.
    thread::sleep(Duration::from_secs(1));
    let told = Instant::now();
    kill_process(Pid::from_child(&submit), Signal::INT).unwrap();
    let ended = submit.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(7), "{ended:?}");
    assert!(told.elapsed() < Duration::from_secs(5), "it went on");
    drop((lock, engine));
}
