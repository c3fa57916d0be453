//! Clocks that jump while leases run: those of the commands and of the database alone, never the machine's.

use crate::bay::{Bay, Service, attempts};
use rustix::process::Signal;
use std::{fs, io::Write, path::PathBuf, thread, time::Duration};

/// Where Debian's `libfaketime` puts the library that answers what time it is.
fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").unwrap().flatten();
    let mut libraries = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let found = libraries.find(|library| library.exists());
    if found.is_none() {
        // Past the harness, which shows nothing of a test that passes.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: libfaketime is not installed; scripts/install-tools installs it"
        );
    }
    found
}

/// A clock that a test sets.
struct FakeClock {
    library: PathBuf,
    file: PathBuf,
}

impl FakeClock {
    fn of(bay: &Bay) -> Option<Self> {
        let clock = Self {
            library: library()?,
            file: bay.farm.path("clock"),
        };
        clock.set("+0");
        Some(clock)
    }

    /// So many seconds ahead of, or behind, the machine's.
    fn set(&self, offset: &str) {
        let fresh = self.file.with_extension("fresh");
        fs::write(&fresh, format!("{offset}\n")).unwrap();
        fs::rename(&fresh, &self.file).unwrap();
    }

    /// Has a command look at this clock. Timers go on as ever.
    fn variables(&self) -> [(&str, &str); 4] {
        [
            ("LD_PRELOAD", self.library.to_str().unwrap()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.to_str().unwrap()),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ]
    }

    fn worker(&self, bay: &Bay, name: &str) -> Service {
        let arguments = [
            "worker", "--name", name, "--slots", "1", "--lease", "6s", "--grace", "1s",
        ];
        bay.start_with(&arguments, &self.variables())
    }
}

/// Whoever lives gets his request done, and what a dead worker had is taken over in the time that its lease gives. A clock that
/// goes forward may cost an attempt its lease: one that says something between the jump and the next look of a scheduler is
/// refused, as any is whose lease ran out.
fn jumps(offset: &str) {
    let bay = Bay::sqlite();
    let Some(clock) = FakeClock::of(&bay) else {
        return;
    };
    let _scheduler = bay.start_with(&["scheduler"], &clock.variables());
    let dead = clock.worker(&bay, "dead");
    let orphaned = bay.submit(&["sleep", r#"{"seconds": 3}"#]);
    bay.runs(orphaned, 1);
    let _alive = clock.worker(&bay, "alive");
    let kept = bay.submit(&["sleep", r#"{"seconds": 9}"#]);
    bay.runs(kept, 1);
    dead.signal(Signal::STOP);
    thread::sleep(Duration::from_millis(500));
    dead.signal(Signal::KILL);
    clock.set(offset);
    let request = bay.completes(orphaned);
    assert_eq!(request["result"], "success", "{request:#}");
    let tries: Vec<_> = attempts(&request)
        .iter()
        .map(|attempt| &attempt["outcome"])
        .collect();
    assert_eq!(tries.last().unwrap(), &"success", "{request:#}");
    assert_eq!(
        tries
            .iter()
            .filter(|outcome| **outcome == "success")
            .count(),
        1,
        "{request:#}"
    );
    let request = bay.completes(kept);
    assert_eq!(request["result"], "success", "{request:#}");
    // It comes back to where it was.
    let again = bay.submit(&["sleep", r#"{"seconds": 3}"#]);
    bay.runs(again, 1);
    clock.set("+0");
    let request = bay.completes(again);
    assert_eq!(request["result"], "success", "{request:#}");
    assert!(bay.logs().contains("clock jumped"), "{}", bay.logs());
}

pub(crate) fn a_clock_goes_forward_by_an_hour() {
    jumps("+3600");
}

pub(crate) fn a_clock_goes_back_by_an_hour() {
    jumps("-3600");
}
