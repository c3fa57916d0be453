//! The records of what is set aside, whoever writes them and is killed meanwhile.

use super::{CONSTRUCTORS, set_aside, status};
use crate::{farm::Farm, unruly};
use rustix::process::Signal;
use serde_json::Value;
use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

fn load_in_background(farm: &Farm) -> Child {
    farm.command(&["list", "--load"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The files in the directory of records.
fn records(farm: &Farm) -> Vec<PathBuf> {
    let directory = farm.path("home/.cache/taskbay/quarantine");
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect()
}

/// Asserts that the records are whole, and counts them.
fn count_whole(farm: &Farm) -> usize {
    let mut records = records(farm);
    records.retain(|path| path.extension().is_some_and(|end| end == "json"));
    for path in &records {
        let text = fs::read_to_string(path).unwrap();
        serde_json::from_str::<Value>(&text).unwrap();
    }
    records.len()
}

/// Killed as it writes, it leaves the old state or the new.
#[test]
fn a_killed_writer_leaves_no_half_record() {
    let farm = Farm::with(&[]);
    for fault in CONSTRUCTORS {
        farm.add_unruly(fault);
    }
    // Most kills come before or after.
    let mut killed_as_it_wrote = 0;
    for round in 0.. {
        let mut child = load_in_background(&farm);
        while records(&farm).is_empty() && child.try_wait().unwrap().is_none() {}
        thread::sleep(Duration::from_micros(100 * (round % 20)));
        child.kill().unwrap();
        child.wait().unwrap();
        let has_begun_another = records(&farm).len() > count_whole(&farm);
        killed_as_it_wrote += usize::from(has_begun_another);
        if killed_as_it_wrote == 5 {
            break;
        }
        assert!(round < 500, "killed {killed_as_it_wrote} times as it wrote");
        for path in records(&farm) {
            fs::remove_file(path).unwrap();
        }
    }
    farm.run(&["list", "--load"]).succeeds();
    assert_eq!(set_aside(&farm).len(), 3);
}

/// Killed when half a record is written, which the kernel does to whoever writes more than it may.
#[test]
fn half_a_record_is_none() {
    let farm = Farm::with(&[]);
    for fault in CONSTRUCTORS {
        farm.add_unruly(fault);
    }
    farm.run(&["list", "--load"]).succeeds();
    let name = unruly::name("constructor-exits");
    farm.run(&["quarantine", "clear", &name]).succeeds();
    let command = farm.command(&["list", "--load"]);
    let mut limited = Command::new("prlimit");
    limited
        .args(["--fsize=100", "--core=0"])
        .arg(command.get_program())
        .args(command.get_args())
        .env("TASKBAY_PLUGIN_PATH", farm.plugins())
        .env("HOME", farm.path("home"))
        .env_remove("TASKBAY_CACHE_DIR")
        .env_remove("XDG_CACHE_HOME")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let ended = limited.status().unwrap();
    assert_eq!(ended.signal(), Some(Signal::XFSZ.as_raw()), "{ended}");
    let mut half = records(&farm);
    half.retain(|path| path.extension().is_none());
    assert_eq!(half.len(), 1, "{half:?}");
    assert_eq!(half[0].metadata().unwrap().len(), 100);
    assert_eq!(set_aside(&farm).len(), 2);
    assert_eq!(status(&farm, "constructor-exits", false), "ok");
    farm.run(&["list", "--load"]).succeeds();
    assert_eq!((set_aside(&farm).len(), count_whole(&farm)), (3, 3));
}

#[test]
fn several_processes_may_write_at_once() {
    let farm = Farm::with(&["noop"]);
    for fault in CONSTRUCTORS {
        farm.add_unruly(fault);
    }
    let children: Vec<_> = (0..6).map(|_| load_in_background(&farm)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!((set_aside(&farm).len(), count_whole(&farm)), (3, 3));
    farm.assert_noop_runs();
}
