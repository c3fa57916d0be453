//! What is loaded are the bytes that were checked, whatever becomes of the file.

use crate::{farm::Farm, unruly};
use std::{
    fs::{self, OpenOptions},
    path::Path,
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
    let plugin = farm.loader().load(&inspected(&farm)).unwrap();
    spoil(&file);
    is_alive(&plugin);
}

#[test]
fn a_loaded_file_may_be_overwritten() {
    survives(|file| {
        let size = usize::try_from(file.metadata().unwrap().len()).unwrap();
        let mut open = OpenOptions::new().write(true).open(file).unwrap();
        std::io::Write::write_all(&mut open, &vec![0xcc; size]).unwrap();
    });
}

#[test]
fn a_loaded_file_may_be_truncated() {
    survives(|file| {
        OpenOptions::new()
            .write(true)
            .open(file)
            .unwrap()
            .set_len(0)
            .unwrap();
    });
}

#[test]
fn a_loaded_file_may_be_deleted() {
    survives(|file| fs::remove_file(file).unwrap());
}

#[test]
fn two_generations_of_one_path_live_side_by_side() {
    let farm = Farm::with(&[]);
    let file = farm.add_unruly("none");
    let loader = farm.loader();
    let old = inspected(&farm);
    let first = loader.load(&old).unwrap();
    let fresh = farm.path("fresh");
    let mut bytes = unruly::bytes("schema-none");
    unruly::replace(
        &mut bytes,
        &unruly::name("schema-none"),
        &unruly::name("none"),
    );
    fs::write(&fresh, bytes).unwrap();
    fs::rename(&fresh, &file).unwrap();
    let new = inspected(&farm);
    let second = loader.load(&new).unwrap();
    assert_eq!(first.path(), second.path());
    assert!(first.schema().is_some());
    assert!(second.schema().is_none(), "the new file has the new code");
    is_alive(&first);
    is_alive(&second);
    // The old one can still be loaded, by a host that is started for an attempt on it.
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
