//! A directory that is watched: tasks come, are replaced and go within a second, and half a file is left alone.

use crate::{farm::Farm, unruly};
use serde_json::Value;
use std::{
    fs::{self, OpenOptions, Permissions},
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

/// Ten times what a change may take to be noticed.
const LIMIT: Duration = Duration::from_secs(10);
/// Longer than a change takes to be noticed, where none shall be.
const LONG_ENOUGH: Duration = Duration::from_millis(1500);

/// `taskbay list --follow`, and what it says.
struct Following {
    child: Child,
    lines: Receiver<Value>,
}

impl Following {
    fn start(farm: &Farm) -> Self {
        let mut child = farm
            .command(&["list", "--follow", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines() {
                let line = serde_json::from_str(&line.unwrap()).unwrap();
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The next line says that of the plugin with that fault.
    #[track_caller]
    fn says(&self, change: &str, fault: &str) {
        let line = self.lines.recv_timeout(LIMIT).unwrap();
        let said = (line["change"].as_str(), line["name"].as_str());
        let name = match fault {
            "noop" => fault.to_owned(),
            fault => unruly::name(fault),
        };
        assert_eq!(said, (Some(change), Some(name.as_str())), "{line}");
    }

    #[track_caller]
    fn says_nothing(&self) {
        let line = self.lines.recv_timeout(LONG_ENOUGH);
        assert!(line.is_err(), "{line:?}");
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Puts bytes where a file is to be, at once.
fn put(farm: &Farm, file: &Path, bytes: &[u8]) {
    let fresh = farm.path("fresh");
    fs::write(&fresh, bytes).unwrap();
    fs::rename(fresh, file).unwrap();
}

#[test]
fn tasks_come_are_replaced_and_go() {
    let farm = Farm::with(&["noop"]);
    let following = Following::start(&farm);
    following.says("added", "noop");
    let file = farm.plugins().join("a.so");
    put(&farm, &file, &unruly::bytes("none"));
    following.says("added", "none");
    let mut other = unruly::bytes("schema-none");
    unruly::replace(
        &mut other,
        &unruly::name("schema-none"),
        &unruly::name("none"),
    );
    put(&farm, &file, &other);
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
    let following = Following::start(&farm);
    let file = farm.plugins().join("a.so");
    let bytes = unruly::bytes("none");
    let mut open = fs::File::create(&file).unwrap();
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
fn a_directory_may_come_go_and_be_replaced() {
    let farm = Farm::with(&["noop"]);
    let (plugins, elsewhere) = (farm.plugins(), farm.path("elsewhere"));
    fs::rename(&plugins, &elsewhere).unwrap();
    let following = Following::start(&farm);
    following.says_nothing();
    fs::rename(&elsewhere, &plugins).unwrap();
    following.says("added", "noop");
    fs::rename(&plugins, &elsewhere).unwrap();
    following.says("removed", "noop");
    fs::create_dir(&plugins).unwrap();
    fs::write(plugins.join("none.so"), unruly::bytes("none")).unwrap();
    following.says("added", "none");
}

#[test]
fn many_changes_at_once_are_all_told() {
    let farm = Farm::with(&[]);
    let following = Following::start(&farm);
    let faults: Vec<String> = (10..40).map(|number| format!("none-{number}")).collect();
    for fault in &faults {
        let bytes = unruly::original().plugin(fault, "none");
        fs::write(farm.plugins().join(format!("{fault}.so")), bytes).unwrap();
    }
    for fault in &faults {
        following.says("added", fault);
    }
}
