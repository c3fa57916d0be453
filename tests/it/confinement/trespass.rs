//! What an attempt reaches for, and what keeps it from that.

use crate::farm::{Farm, Ran};
use taskbay_core::Confinement;

/// What an attempt reaches for, and the least that keeps it from that. No task has its server do what is not its own.
const TRESPASSES: [(&str, Confinement); 19] = [
    ("fetching home", Confinement::None),
    ("fetching by a link", Confinement::None),
    ("fetching by a folder", Confinement::None),
    ("an upload", Confinement::None),
    ("an upload by a link", Confinement::None),
    ("an upload that waits", Confinement::None),
    ("a core dump", Confinement::Limits),
    ("home", Confinement::Strict),
    ("/tmp", Confinement::Strict),
    ("/var/tmp", Confinement::Strict),
    ("/dev/shm", Confinement::Strict),
    ("another's file", Confinement::Strict),
    (CUTTING, Confinement::Strict),
    ("moving in", Confinement::Strict),
    ("moving out", Confinement::Strict),
    ("another's directory", Confinement::Strict),
    ("a thread", Confinement::Strict),
    ("a shell", Confinement::Strict),
    (SIGNAL, Confinement::Strict),
];
/// What takes Linux 6.2.
pub(super) const CUTTING: &str = "cutting another's";
/// What takes Linux 6.12.
const SIGNAL: &str = "a signal";

/// What of [`TRESPASSES`] this kernel keeps nobody from, as the worker says. None where it holds back nothing at all.
pub(super) fn lacking() -> Option<Vec<&'static str>> {
    let said = Farm::with(&[]).run(&["analyze"]).json();
    if said["system:confinement"] == "strict" {
        return Some(Vec::new());
    }
    let reason = said["system:confinement:reason"].as_str().unwrap();
    taskbay_test::skip(reason);
    if reason.starts_with("the kernel is older than Linux 6.2:") {
        return Some(vec![CUTTING, SIGNAL]);
    }
    if reason.starts_with("the kernel is older than Linux 6.12:") {
        return Some(vec![SIGNAL]);
    }
    assert!(reason.starts_with("the kernel does not keep"), "{reason}");
    None
}

/// How reaching for that ended.
#[track_caller]
fn ended<'r>(ran: &'r Ran, what: &str) -> &'r str {
    let line = ran.stderr.lines().find_map(|line| {
        let (_, end) = line.split_once(&format!(" {what}: "))?;
        Some(end)
    });
    line.unwrap_or_else(|| panic!("nothing of {what:?} in {ran:#?}"))
}

/// All trespasses end as they do under that confinement, but for those that the kernel keeps nobody from.
#[track_caller]
pub(super) fn assert_confined(ran: &Ran, confinement: Confinement, lacking: &[&str]) {
    for (what, least) in TRESPASSES {
        if !lacking.contains(&what) {
            let is_refused = confinement as u8 >= least as u8;
            assert_ends(ran, what, if is_refused { "refused" } else { "done" });
        }
    }
}

#[track_caller]
pub(super) fn assert_ends(ran: &Ran, what: &str, end: &str) {
    assert!(ended(ran, what).starts_with(end), "{what}: {ran:#?}");
}
