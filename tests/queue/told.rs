//! What people are told of a request on its way, of its data, and of settings.

use crate::bay::Bay;
use rustix::process::geteuid;
use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
};
use taskbay_core::TaskName;
use taskbay_engine::{Engine, NewRequest};

/// Whoever waits hears why, and which worker has it; scripts hear nothing of it.
pub(crate) fn whoever_waits_hears_how_far_it_is(bay: &Bay) {
    let _serve = bay.start(&["serve", "--name", "here", "--slots", "1"]);
    let first = bay.submit(&["sleep", r#"{"seconds": 20}"#]);
    bay.runs(first, 1);
    let wait = ["submit", "sleep", r#"{"seconds": 5}"#, "--wait"];
    let said = bay.run(&wait).succeeds().stderr.clone();
    let lines: Vec<_> = said.lines().collect();
    let expected = [
        "request 2",
        "request 2 waits: every worker that it fits is busy",
        "attempt 1 runs on the worker here",
    ];
    assert_eq!(lines, expected, "{said}");
    let scripted = bay.run(&[&wait[..], &["--json"]].concat());
    assert_eq!(scripted.succeeds().stderr, "request 3\n");
}

/// Of what somebody submitted, no line is taken for one of the command's own.
pub(crate) fn task_data_is_shown_in_a_line(bay: &Bay) {
    let id = bay.engine().submit(&NewRequest::new(
        TaskName::fold("noop").unwrap(),
        "{\n  \"a\u{9b}2J\":\n  true\n}\n",
    ));
    let shown = bay.run(&["show", &id.unwrap().to_string()]);
    let shown = &shown.succeeds().stdout;
    let line = r#"task data: { "a\u{9b}2J": true }"#;
    assert!(shown.lines().any(|shown| shown == line), "{shown}");
}

/// Once, with the file and what to do, and without the password.
pub(crate) fn a_password_that_all_can_read_is_warned_of(bay: &Bay) {
    let file = bay.farm.path("config.toml");
    let said = |text: &str, mode| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        bay.run(&["requests"]).succeeds().stderr.clone()
    };
    let secret = "engine = \"postgres://user:hidden@localhost/queue\"\n";
    let warned = said(secret, 0o644);
    let remedy = format!("`chmod 640 {}`", file.display());
    assert_eq!(warned.matches(&remedy).count(), 1, "{warned}");
    assert!(!warned.contains("hidden"), "{warned}");
    assert_eq!(said(secret, 0o640), "");
    // Of this process's groups or root's, unlike one that nobody here is in. Only root can give a file away.
    if geteuid().is_root() {
        chown(&file, None, Some(4321)).unwrap();
        let warned = said(secret, 0o640);
        let remedy = format!("`chmod 600 {}`", file.display());
        assert!(warned.contains("group 4321"), "{warned}");
        assert_eq!(warned.matches(&remedy).count(), 1, "{warned}");
        assert_eq!(said(secret, 0o600), "");
        // A service's, which root gave it to.
        chown(&file, None, Some(432)).unwrap();
        assert_eq!(said(secret, 0o640), "");
    }
    let open = "engine = \"postgres://user@localhost/queue\"\n";
    assert_eq!(said(open, 0o644), "");
}
