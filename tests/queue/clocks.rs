//! Clocks that jump while leases run: those of the commands and of the database alone, never the machine's.

use crate::{
    bay::{Bay, Service, attempts},
    database::Database,
    faketime, server,
};
use rustix::process::Signal;
use std::{fs, path::PathBuf, thread, time::Duration};

/// A clock that a test sets.
struct FakeClock {
    library: PathBuf,
    file: PathBuf,
}

impl FakeClock {
    /// One that its file, of that path, says.
    fn at(file: PathBuf) -> Option<Self> {
        let library = faketime::library()?;
        let clock = Self { library, file };
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
}

fn worker(bay: &Bay, name: &str, variables: &[(&str, &str)]) -> Service {
    let arguments = [
        "worker", "--name", name, "--slots", "1", "--lease", "6s", "--grace", "1s",
    ];
    bay.start_with(&arguments, variables)
}

/// Whoever lives gets his request done, and what a dead worker had is taken over in the time that its lease gives.
fn jumps(bay: &Bay, clock: &FakeClock, variables: &[(&str, &str)], offset: &str) {
    let _scheduler = bay.start_with(&["scheduler"], variables);
    let dead = worker(bay, "dead", variables);
    let orphaned = bay.submit(&["sleep", r#"{"seconds": 3}"#]);
    bay.runs(orphaned, 1);
    let _alive = worker(bay, "alive", variables);
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

/// Whoever says something between the jump and the next look of a scheduler is refused, and says it again.
pub(crate) fn a_clock_goes_forward_before_a_scheduler_looks() {
    let bay = Bay::sqlite();
    let Some(clock) = FakeClock::at(bay.farm.path("clock")) else {
        return;
    };
    let scheduler = bay.start_with(&["scheduler"], &clock.variables());
    let arguments = ["worker", "--name", "here", "--slots", "1", "--lease", "1m"];
    let _worker = bay.start_with(&arguments, &clock.variables());
    let id = bay.submit(&["sleep", r#"{"seconds": 3}"#]);
    bay.runs(id, 1);
    scheduler.signal(Signal::STOP);
    clock.set("+3600");
    bay.wait_until(|| bay.logs().contains("refused: "));
    scheduler.signal(Signal::CONT);
    let request = bay.completes(id);
    assert_eq!(request["result"], "success", "{request:#}");
    assert_eq!(attempts(&request).len(), 1, "{request:#}");
}

/// A file has the clock of whoever asks.
fn of_a_file(offset: &str) {
    let bay = Bay::sqlite();
    let Some(clock) = FakeClock::at(bay.farm.path("clock")) else {
        return;
    };
    jumps(&bay, &clock, &clock.variables(), offset);
}

/// The commands have the machine's clock, which counts for nothing.
fn of_a_server(offset: &str) {
    let folder = server::folder();
    let Some(clock) = FakeClock::at(folder.join("clock")) else {
        return;
    };
    let variables = clock
        .variables()
        .map(|(name, value)| format!("{name}={value}"));
    let Some(database) = Database::with_variables(folder, &variables.join(" ")) else {
        return;
    };
    let bay = Bay::at(database.url("postgres"));
    jumps(&bay, &clock, &[], offset);
}

pub(crate) fn a_clock_goes_forward_by_an_hour() {
    of_a_file("+3600");
}

pub(crate) fn a_clock_goes_back_by_an_hour() {
    of_a_file("-3600");
}

pub(crate) fn a_servers_clock_goes_forward_by_an_hour() {
    of_a_server("+3600");
}

pub(crate) fn a_servers_clock_goes_back_by_an_hour() {
    of_a_server("-3600");
}
