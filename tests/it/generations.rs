//! What is loaded are the bytes that were checked, whatever becomes of the file.

use crate::{attempts::wait_until, farm::Farm, unruly};
use std::{
    fs::{self, OpenOptions},
    path::Path,
    process::Stdio,
};
use taskbay_loader::{Admissible, Plugin, State};

/// The plugin directory as it is now.
fn inspected(farm: &Farm) -> Admissible {
    let mut catalog = farm.catalog();
    match catalog.entries.pop().unwrap().state {
        State::Usable(admissible) => admissible,
        other => panic!("{other:?}"),
    }
}

/// Calls into the plugin, on pages that were never touched before, too.
fn is_alive(plugin: &Plugin) {
    let task = plugin.configure(r#"{"level": 3}"#).unwrap();
    assert_eq!(task.requirements().len(), 1);
    assert!(plugin.configure(r#"{"level": -3}"#).is_err());
    assert!(plugin.analyze(&taskbay_core::Metadata::default()).is_ok());
}

/// Loads a plugin, does something to its file, and calls into it.
#[track_caller]
fn survives(spoil: impl FnOnce(&Path)) {
    let farm = Farm::with(&[]);
    let file = farm.add_unruly("none");
    let loader = farm.loader();
    let old = inspected(&farm);
    let plugin = loader.load(&old).unwrap();
    spoil(&file);
    is_alive(&plugin);
    // By a host that is started for an attempt on it.
    let again = loader.admit(old.resolved(), old.identity()).unwrap();
    is_alive(&loader.load(&again).unwrap());
}

/// Executes a plugin, does something to its file meanwhile, and lets it go on: it is the old one to its end.
#[track_caller]
fn goes_on(spoil: impl FnOnce(&Path)) {
    let farm = Farm::with(&[]);
    let file = farm.add_unruly("none");
    let name = unruly::name("none");
    let meeting = farm.here();
    let mut command = farm.command(&["run", &name, r#"{"action": "meet"}"#]);
    let running = command
        .env("TASKBAY_TEST_MEETING", &meeting)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("it is executed", || meeting.join("here").exists());
    spoil(&file);
    fs::write(meeting.join("go"), "").unwrap();
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("went on as `none`, unwound: true"), "{said}");
}

fn overwrite(file: &Path) {
    let size = usize::try_from(file.metadata().unwrap().len()).unwrap();
    let mut open = OpenOptions::new().write(true).open(file).unwrap();
    std::io::Write::write_all(&mut open, &vec![0xcc; size]).unwrap();
}

fn truncate(file: &Path) {
    let open = OpenOptions::new().write(true).open(file).unwrap();
    open.set_len(0).unwrap();
}

/// Puts another plugin of that name there, as package managers do.
fn replace(file: &Path) {
    let fresh = file.with_extension("fresh");
    fs::write(&fresh, another()).unwrap();
    fs::rename(&fresh, file).unwrap();
}

/// Puts another plugin of that name there, as `cp` does.
fn copy_over(file: &Path) {
    fs::write(file, another()).unwrap();
}

/// The bytes of a plugin that has no schema, of the name of the one that has no fault.
fn another() -> Vec<u8> {
    unruly::original().plugin("none", "schema-none")
}

fn delete(file: &Path) {
    fs::remove_file(file).unwrap();
}

#[test]
fn a_loaded_file_may_be_overwritten() {
    survives(overwrite);
    survives(copy_over);
}

#[test]
fn a_loaded_file_may_be_truncated() {
    survives(truncate);
}

#[test]
fn a_loaded_file_may_be_replaced() {
    survives(replace);
}

#[test]
fn a_loaded_file_may_be_deleted() {
    survives(delete);
}

#[test]
fn the_file_of_a_running_task_may_be_overwritten() {
    goes_on(overwrite);
    goes_on(copy_over);
}

#[test]
fn the_file_of_a_running_task_may_be_truncated() {
    goes_on(truncate);
}

#[test]
fn the_file_of_a_running_task_may_be_replaced() {
    goes_on(replace);
}

#[test]
fn the_file_of_a_running_task_may_be_deleted() {
    goes_on(delete);
}

#[test]
fn two_generations_of_one_path_live_side_by_side() {
    let farm = Farm::with(&[]);
    let file = farm.add_unruly("none");
    let loader = farm.loader();
    let old = inspected(&farm);
    let first = loader.load(&old).unwrap();
    replace(&file);
    let new = inspected(&farm);
    let second = loader.load(&new).unwrap();
    assert_eq!(first.path(), second.path());
    assert!(first.schema().is_some());
    assert!(second.schema().is_none(), "the new file has the new code");
    is_alive(&first);
    is_alive(&second);
    // The old one can still be loaded, and is the old one.
    let again = loader.admit(old.resolved(), old.identity()).unwrap();
    assert!(loader.load(&again).unwrap().schema().is_some());
}

#[test]
fn a_file_that_changed_before_it_was_copied_is_refused() {
    let farm = Farm::with(&[]);
    let file = farm.add_unruly("none");
    let old = inspected(&farm);
    fs::write(&file, unruly::bytes("schema-none")).unwrap();
    let error = farm.loader().load(&old).unwrap_err();
    assert_eq!(error.to_string(), "it changed while it was being loaded");
    let rejection = farm
        .loader()
        .admit(old.resolved(), old.identity())
        .unwrap_err();
    assert_eq!(rejection.help(), "try again once it is written");
}

/// Size and times are as they were, but for the one that nobody can set.
#[test]
fn a_file_that_was_changed_on_the_quiet_is_refused() {
    let farm = Farm::with(&[]);
    let file = farm.add_unruly("none");
    let old = inspected(&farm);
    let modified = file.metadata().unwrap().modified().unwrap();
    copy_over(&file);
    let open = OpenOptions::new().write(true).open(&file).unwrap();
    open.set_modified(modified).unwrap();
    let error = farm.loader().load(&old).unwrap_err();
    assert_eq!(error.to_string(), "it changed while it was being loaded");
}
