//! A report is bound to the bytes that were checked.

use super::{assert_test, check};
use crate::farm::Farm;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::{fs, sync::mpsc, thread};

/// Two files take each other's place all the time: no report says of one what the other is.
#[test]
fn a_file_that_is_replaced_meanwhile_gets_no_verdict_of_another() {
    let farm = Farm::with(&["noop"]);
    let good = farm.plugins().join("libtaskbay_task_noop.so");
    let sha256 = |file| taskbay_loader::sha256(file).unwrap();
    let bad = farm.path("bad.so");
    fs::write(&bad, "no plugin").unwrap();
    let (good_digest, bad_digest) = (sha256(&good), sha256(&bad));
    let (stop, stopped) = mpsc::channel::<()>();
    let files = (good.clone(), bad.clone());
    let other = thread::spawn(move || {
        while stopped.try_recv().is_err() {
            renameat_with(CWD, &files.0, CWD, &files.1, RenameFlags::EXCHANGE).unwrap();
        }
    });
    let reports: Vec<_> = (0..60)
        .map(|_| check(&farm, "libtaskbay_task_noop.so", &["--level", "0"]).1)
        .collect();
    stop.send(()).unwrap();
    other.join().unwrap();
    for report in reports {
        let passed = report["passed"] == true;
        if report["sha256"] == good_digest {
            assert!(passed, "{report:#}");
        } else if report["sha256"] == bad_digest {
            assert!(!passed, "{report:#}");
        } else {
            // Of nothing that was seen whole nothing good is said.
            assert!(report["sha256"].is_null() && !passed, "{report:#}");
        }
    }
    if sha256(&good) == bad_digest {
        fs::rename(&bad, &good).unwrap();
    }
    let (code, report) = check(&farm, "libtaskbay_task_noop.so", &["--level", "0"]);
    assert_eq!(code, Some(0), "{report:#}");
    assert_test(&report, "unchanged", "passed", &good_digest);
}
