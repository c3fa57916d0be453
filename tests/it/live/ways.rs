//! What is watched may be reached by links, and come, go or be replaced with any folder above it.

use super::{follow, follow_in, other_bytes, put};
use crate::{farm::Farm, unruly};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::symlink,
    path::Path,
};

/// Makes a link lead there, at once.
fn link(farm: &Farm, target: &Path, link: &Path) {
    let fresh = farm.path("fresh");
    symlink(target, &fresh).unwrap();
    fs::rename(fresh, link).unwrap();
}

#[test]
fn a_directory_may_come_go_and_be_replaced() {
    let farm = Farm::with(&["noop"]);
    let (plugins, elsewhere) = (farm.plugins(), farm.path("elsewhere"));
    fs::rename(&plugins, &elsewhere).unwrap();
    let following = follow(&farm);
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
fn a_link_may_stand_for_a_plugin() {
    let farm = Farm::with(&[]);
    let (first, second) = (farm.path("first"), farm.path("second"));
    for folder in [&first, &second] {
        fs::create_dir(folder).unwrap();
    }
    let (file, name) = (first.join("file"), farm.plugins().join("a.so"));
    put(&farm, &file, &unruly::bytes("none"));
    link(&farm, &file, &second.join("link"));
    link(&farm, &second.join("link"), &name);
    let following = follow(&farm);
    following.says("added", "none");
    put(&farm, &file, &other_bytes());
    following.says("replaced", "none");
    let mut open = OpenOptions::new().write(true).open(&file).unwrap();
    open.write_all(&unruly::bytes("none")).unwrap();
    following.says_nothing();
    drop(open);
    following.says("replaced", "none");
    fs::remove_file(second.join("link")).unwrap();
    following.says("removed", "none");
    put(&farm, &second.join("link"), &other_bytes());
    following.says("added", "none");
    link(&farm, &file, &name);
    following.says("replaced", "none");
}

#[test]
fn a_link_may_stand_for_the_directory() {
    let farm = Farm::with(&["noop"]);
    let (other, named) = (farm.path("other"), farm.path("named"));
    fs::create_dir(&other).unwrap();
    put(&farm, &other.join("a.so"), &unruly::bytes("none"));
    link(&farm, &farm.plugins(), &named);
    let following = follow_in(&named, &farm);
    following.says("added", "noop");
    link(&farm, &other, &named);
    following.says("removed", "noop");
    following.says("added", "none");
    put(&farm, &other.join("a.so"), &other_bytes());
    following.says("replaced", "none");
}

#[test]
fn a_folder_far_above_may_be_replaced() {
    let farm = Farm::with(&[]);
    let (tree, other) = (farm.path("tree"), farm.path("other"));
    for (tree, fault) in [(&tree, "none"), (&other, "none-2")] {
        let folder = tree.join("a/b/c");
        fs::create_dir_all(&folder).unwrap();
        put(&farm, &folder.join("a.so"), &unruly::bytes(fault));
    }
    let file = tree.join("a/b/c/a.so");
    let following = follow_in(&tree.join("a/b/c"), &farm);
    following.says("added", "none");
    fs::rename(&tree, farm.path("gone")).unwrap();
    fs::rename(&other, &tree).unwrap();
    following.says("removed", "none");
    following.says("added", "none-2");
    fs::remove_file(file).unwrap();
    following.says("removed", "none-2");
}
