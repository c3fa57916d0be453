//! Hosts that are this process's only children, so that what one leaves behind can be found.

use super::{hosts, program_of};
use crate::{
    farm::{Farm, built},
    unruly,
};
use log::{LevelFilter, Log, Metadata, Record};
use std::{
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use taskbay_core::{NoServer, Server};
use taskbay_worker::{AttemptOptions, Failure, HostProgram};

/// Held by tests of hosts that are this process's only children: each of these ends what another's left behind.
static ONLY: Mutex<()> = Mutex::new(());

/// The program of hosts that are this process's only children.
fn only_child(farm: &Farm) -> HostProgram {
    // What the farm itself starts has ended by now, and is not started again.
    unruly::original();
    HostProgram {
        has_only_hosts: true,
        ..program_of(farm)
    }
}

/// Takes its time, so that whoever logs is behind with what it reads.
struct SlowLog;

impl Log for SlowLog {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.args().to_string() == "this takes a while" {
            thread::sleep(Duration::from_millis(500));
        }
    }

    fn flush(&self) {}
}

/// It has ended before anybody reads what it wrote, so that killing its tree comes too late.
#[test]
fn a_host_that_babbles_and_ends_leaves_nothing_behind() {
    let _alone = ONLY.lock().unwrap();
    log::set_logger(&SlowLog).unwrap();
    log::set_max_level(LevelFilter::Info);
    let farm = Farm::with(&["noop"]);
    let mut program = only_child(&farm);
    let record = r#"{"log":{"level":3,"target":"t","file":null,"line":null,"task":null,"message":"this takes a while"}}"#;
    let script = format!(
        "setsid sleep 1000 >/dev/null 2>&1 & printf '\\{:o}\\0\\0\\0%s\\377\\377\\377\\377' '{record}' >&0",
        record.len()
    );
    let home = format!("HOME={}", farm.path("home").display());
    program.program = "env".into();
    program.arguments = vec![home.into(), "sh".into(), "-c".into(), script.into()];
    let mut hosts = hosts(program);
    let catalog = farm.catalog();
    let failure = hosts.describe(catalog.get("noop").unwrap()).unwrap_err();
    let said = failure.to_string();
    assert!(said.contains("what no plugin host says"), "{failure:?}");
    farm.assert_nothing_is_left();
}

/// Plugin code may have it say anything. What it has all the same is found once it has ended.
#[test]
fn a_host_that_denies_its_children_leaves_nothing_behind() {
    let _alone = ONLY.lock().unwrap();
    let farm = Farm::with(&["noop"]);
    let mut program = only_child(&farm);
    let script = r#"
        setsid sleep 1000 >/dev/null 2>&1 &
        nonce=$(dd bs=4096 count=1 2>/dev/null | tr -d '\0' | sed 's/.*"nonce":\([0-9]*\).*/\1/')
        answer='{"answer":{"nonce":'$nonce',"answer":{"ready":{"environment":{}}},"childless":true}}'
        printf "\\$(printf %o ${#answer})\\0\\0\\0%s" "$answer" >&0
        wait"#;
    let home = format!("HOME={}", farm.path("home").display());
    program.program = "env".into();
    program.arguments = vec![home.into(), "sh".into(), "-c".into(), script.into()];
    let mut hosts = hosts(program);
    hosts.glimpse().unwrap();
    drop(hosts);
    farm.assert_nothing_is_left();
}

/// What one host leaves behind is ended, and the hosts of others are not.
#[test]
fn the_end_of_a_host_spares_those_of_others() {
    let _alone = ONLY.lock().unwrap();
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("constructor-crashes");
    let catalog = farm.catalog();
    let mut good = hosts(only_child(&farm));
    let noop = catalog.get("noop").unwrap();
    good.describe(noop).unwrap();
    let mut bad = hosts(only_child(&farm));
    let name = unruly::name("constructor-crashes");
    let failure = bad.describe(catalog.get(&name).unwrap()).unwrap_err();
    assert!(matches!(failure, Failure::Died(_)), "{failure:?}");
    good.configure(noop, "{}").unwrap();
}

/// Orphans that take their time to end hold up nobody who starts a host.
#[test]
fn a_host_starts_while_the_orphans_of_another_are_ended() {
    let _alone = ONLY.lock().unwrap();
    let farm = Farm::with(&["noop"]);
    farm.add_unruly("none");
    let catalog = farm.catalog();
    let name = unruly::name("none");
    let mut slow = hosts(only_child(&farm));
    // Its children ignore TERM, and this process adopts them, as a subreaper.
    let data = r#"{"action": "fork-and-segfault"}"#;
    let file = catalog.get(&name).unwrap();
    let configured = slow.configure(file, data).unwrap();
    let attempt = thread::spawn(move || {
        let server: Arc<dyn Server> = Arc::new(NoServer);
        let options = AttemptOptions {
            timeout: None,
            grace: Duration::from_secs(10),
            keep: false,
            log: None,
        };
        let catalog = farm.catalog();
        let file = catalog.get(&name).unwrap();
        slow.execute(file, &configured, &server, &options).unwrap();
        farm
    });
    thread::sleep(Duration::from_secs(1));
    let farm = Farm::with(&["noop"]);
    let catalog = farm.catalog();
    let mut quick = hosts(only_child(&farm));
    quick.describe(catalog.get("noop").unwrap()).unwrap();
    assert!(!attempt.is_finished(), "the orphan has ended early");
    attempt.join().unwrap().assert_nothing_is_left();
}
