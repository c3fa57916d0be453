//! A directory that is watched: tasks come, are replaced and go within a second, and half a file is left alone.
//!
//! How long each change took to be noticed is printed (`--nocapture`).

use crate::{
    farm::Farm,
    following::{Following, LIMIT},
    unruly,
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{BufRead, BufReader, Write},
    os::unix::fs::{FileExt, PermissionsExt},
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};
use taskbay_loader::{Store, TrustPolicy};
use taskbay_worker::{Change, LiveCatalog};

/// What is watched may be reached by links, and come, go or be replaced with any folder above it.
mod ways;

/// Longer than a change takes to be noticed, where none shall be.
const LONG_ENOUGH: Duration = Duration::from_millis(1500);

/// Follows the farm's plugin directory.
fn follow(farm: &Farm) -> Following {
    follow_in(&farm.plugins(), farm)
}

/// Follows another directory.
fn follow_in(plugins: &Path, farm: &Farm) -> Following {
    let mut command = farm.command(&["list", "--follow", "--json"]);
    Following::of(command.env("TASKBAY_PLUGIN_PATH", plugins))
}

impl Following {
    /// The next line says that of the plugin with that fault.
    #[track_caller]
    fn says(&self, change: &str, fault: &str) {
        let since = Instant::now();
        let line = self.next();
        eprintln!("{change} {fault} after {:?}", since.elapsed());
        let said = (line["change"].as_str(), line["name"].as_str());
        let name = match fault {
            "noop" => fault.to_owned(),
            fault => unruly::name(fault),
        };
        assert_eq!(said, (Some(change), Some(name.as_str())), "{line}");
    }

    #[track_caller]
    fn says_nothing(&self) {
        self.says_nothing_for(LONG_ENOUGH);
    }

    #[track_caller]
    fn says_nothing_for(&self, time: Duration) {
        assert_eq!(self.next_within(time), None);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

/// Puts bytes where a file is to be, at once.
fn put(farm: &Farm, file: &Path, bytes: &[u8]) {
    let fresh = farm.path("fresh");
    fs::write(&fresh, bytes).unwrap();
    fs::rename(fresh, file).unwrap();
}

/// Another plugin for the task `none`: without a schema.
fn other_bytes() -> Vec<u8> {
    let mut bytes = unruly::bytes("schema-none");
    unruly::replace(
        &mut bytes,
        &unruly::name("schema-none"),
        &unruly::name("none"),
    );
    bytes
}

#[test]
fn tasks_come_are_replaced_and_go() {
    let farm = Farm::with(&["noop"]);
    let following = follow(&farm);
    following.says("added", "noop");
    let file = farm.plugins().join("a.so");
    put(&farm, &file, &unruly::bytes("none"));
    following.says("added", "none");
    put(&farm, &file, &other_bytes());
    following.says("replaced", "none");
    fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    following.says("removed", "none");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    following.says("added", "none");
    fs::remove_file(&file).unwrap();
    following.says("removed", "none");
    following.says_nothing();
}

/// Neither a new file nor an old one is looked at while somebody writes to it, even where it looks whole.
#[test]
fn half_a_file_is_left_alone() {
    let farm = Farm::with(&[]);
    let following = follow(&farm);
    let file = farm.plugins().join("a.so");
    let bytes = unruly::bytes("none");
    let mut open = File::create(&file).unwrap();
    for round in ["added", "replaced"] {
        // The whole length at once, as tools do that reserve the room first; then the bytes.
        open.write_all(&bytes[..5000]).unwrap();
        open.set_len(bytes.len() as u64).unwrap();
        following.says_nothing();
        open.write_all(&bytes[5000..]).unwrap();
        following.says_nothing();
        drop(open);
        following.says(round, "none");
        open = OpenOptions::new().write(true).open(&file).unwrap();
    }
}

#[test]
fn many_changes_at_once_are_all_told() {
    let farm = Farm::with(&[]);
    let following = follow(&farm);
    let faults: Vec<String> = (10..40).map(|number| format!("none-{number}")).collect();
    for fault in &faults {
        let bytes = unruly::original().plugin(fault, "none");
        fs::write(farm.plugins().join(format!("{fault}.so")), bytes).unwrap();
    }
    for fault in &faults {
        following.says("added", fault);
    }
}

/// Of a file that is being written already when the watch begins, the first that is seen is one write of many.
#[test]
fn half_a_file_from_before_is_left_alone() {
    let farm = Farm::with(&[]);
    let mut open = File::create(farm.plugins().join("a.so")).unwrap();
    open.write_all(&unruly::bytes("none")).unwrap();
    let following = follow(&farm);
    let since = Instant::now();
    while since.elapsed() < LONG_ENOUGH {
        // The first byte of every such file.
        open.write_all_at(b"\x7f", 0).unwrap();
        following.says_nothing_for(Duration::from_millis(20));
    }
    following.says_nothing();
    drop(open);
    following.says("added", "none");
}

/// The system keeps so many events at most; those that come when there are as many are lost.
#[test]
fn lost_events_hold_nothing_back() {
    let farm = Farm::with(&[]);
    let file = farm.plugins().join("a.so");
    let others = ["b", "c"].map(|name| File::create(farm.plugins().join(name)).unwrap());
    let following = follow(&farm);
    following.says_nothing();
    let mut open = File::create(&file).unwrap();
    open.write_all(&unruly::bytes("none")).unwrap();
    following.says_nothing();
    following.signal(Signal::STOP);
    let kept = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    // In turn, since the same event twice is one; and more than are kept, since some are read before the signal comes.
    for count in 0..2 * kept.trim().parse::<usize>().unwrap() {
        let mode = Permissions::from_mode(0o644);
        others[count % 2].set_permissions(mode).unwrap();
    }
    drop(open);
    put(
        &farm,
        &farm.plugins().join("d.so"),
        &unruly::bytes("none-2"),
    );
    following.signal(Signal::CONT);
    following.says("added", "none");
    following.says("added", "none-2");
}

/// Whoever has read enough, as `head -1` has, need not wait for a change.
#[test]
fn it_ends_with_its_reader() {
    let farm = Farm::with(&["noop"]);
    let mut child = farm
        .command(&["list", "--follow"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert!(line.starts_with("added"), "{line}");
    thread::sleep(LONG_ENOUGH);
    assert!(child.try_wait().unwrap().is_none(), "somebody still reads");
    drop(stdout);
    let since = Instant::now();
    let ended = loop {
        match child.try_wait().unwrap() {
            None if since.elapsed() < LIMIT => thread::sleep(Duration::from_millis(20)),
            ended => break ended,
        }
    };
    let _ = child.kill();
    assert_eq!(ended.and_then(|status| status.code()), Some(0));
}

/// What was replaced or removed can still be started, by a host that never saw its file, and goes on.
#[test]
fn what_is_gone_can_still_be_run() {
    let farm = Farm::with(&[]);
    let file = farm.add_unruly("none");
    let store = Store::in_directory(farm.path("copies"));
    let policy = TrustPolicy::OwnerOnly;
    let mut live = LiveCatalog::watch(farm.search_path(), policy, store, None).unwrap();
    let Some(Change::Added(_)) = live.wait(LIMIT).pop() else {
        panic!("it was not added");
    };
    put(&farm, &file, &other_bytes());
    let Some(Change::Replaced { old, .. }) = live.wait(LIMIT).pop() else {
        panic!("it was not replaced");
    };
    fs::remove_file(file).unwrap();
    let Some(Change::Removed(new)) = live.wait(LIMIT).pop() else {
        panic!("it was not removed");
    };
    let loader = farm.loader();
    let [old, new] = [old, new].map(|each| {
        let again = loader.admit(each.resolved(), each.identity()).unwrap();
        loader.load(&again).unwrap()
    });
    assert!(old.schema().is_some() && new.schema().is_none());
    assert!(old.configure("{}").is_ok() && new.configure("{}").is_ok());
}

/// As long as its writer has not closed it, a file that would come first hides no other of the task's name.
#[test]
fn a_file_held_open_hides_no_other() {
    let farm = Farm::with(&[]);
    let following = follow(&farm);
    put(&farm, &farm.plugins().join("b.so"), &unruly::bytes("none"));
    following.says("added", "none");
    let mut open = File::create(farm.plugins().join("a.so")).unwrap();
    open.write_all(&other_bytes()).unwrap();
    following.says_nothing();
    drop(open);
    following.says("replaced", "none");
    // And one that stands before it can as little be written anew without the task.
    let mut open = File::create(farm.plugins().join("a.so")).unwrap();
    open.write_all(&other_bytes()[..5000]).unwrap();
    following.says_nothing();
    fs::remove_file(farm.plugins().join("a.so")).unwrap();
    following.says("replaced", "none");
}
