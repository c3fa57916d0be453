//! Children, in a program of its own: those of other tests would be its own, too. One test only, for that reason.

use std::{process::Command, thread};
use taskbay_worker::tree::is_childless;

#[test]
fn a_process_knows_whether_it_has_children() {
    assert!(is_childless());
    let child = || Command::new("sleep").arg("600").spawn().unwrap();
    let mut children = [child(), thread::spawn(child).join().unwrap()];
    assert!(!is_childless());
    for child in &mut children {
        child.kill().unwrap();
        // Also while nobody has asked how it ended.
        assert!(!is_childless());
        child.wait().unwrap();
    }
    assert!(is_childless());
}
