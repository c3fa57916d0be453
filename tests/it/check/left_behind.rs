//! What `taskbay check` finds of what an execution leaves behind.

use super::{assert_test, check, tests};
use crate::farm::Farm;
use std::fs;

/// A task that succeeds may have left something behind.
///
/// What it leaves in `/tmp` itself or elsewhere by name is not looked for: on a machine that others use too, nobody can
/// tell whose it is.
#[test]
fn what_an_execution_leaves_behind_is_found() {
    let farm = Farm::with(&[]);
    farm.add_unruly("none");
    for (action, name, part) in [
        ("daemon", "execute-processes", "still run"),
        ("roam", "execute-state", "the umask was 0022, and is 0777"),
        ("roam", "execute-state", "the current directory was"),
        ("temporary-file", "execute-files", "$TMPDIR/left-behind"),
        ("home-file", "execute-files", "$HOME/left-behind"),
        ("cache-file", "execute-files", "$HOME/.cache/left-behind"),
        ("environment", "execute-state", "variables are others: PATH"),
        ("log", "execute-log", "printed to std"),
    ] {
        let data = format!(r#"{{"action": "{action}"}}"#);
        let (code, file) = check(&farm, "none.so", &["--data", &data]);
        assert_eq!(code, Some(1), "{file:#}");
        assert_test(&file, "execute", "passed", "success");
        assert_test(&file, name, "failed", part);
        let failed = tests(&file)
            .iter()
            .filter(|test| test["status"] == "failed");
        assert_eq!(failed.count(), 1, "{file:#}");
    }
    assert_eq!(
        fs::read_dir(farm.path("home")).unwrap().count(),
        1,
        "the home of whoever checks has the private copies alone"
    );
    let data = r#"{"action": "litter"}"#;
    let (code, file) = check(&farm, "none.so", &["--data", data]);
    assert_eq!(code, Some(0), "its work directory is its own: {file:#}");
    farm.assert_nothing_is_left();
}
