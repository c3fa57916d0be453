//! The tools that a test calls, which need not be there.

use std::{
    env,
    io::{self, Write},
    process::Command,
};
use taskbay_plugin_api::is_available;

/// Whether all these tools are there. Where one is not, this says that the test is skipped; where the variable `CI` is
/// set, the test fails, since a test that nobody runs proves nothing.
pub fn has_tools(tools: &[&str]) -> bool {
    has(tools, env::var_os("CI").is_some())
}

fn has(tools: &[&str], all_must_be_there: bool) -> bool {
    let Some(tool) = tools.iter().find(|tool| !is_available(tool)) else {
        return true;
    };
    assert!(
        !all_must_be_there,
        "{tool} is not installed, and with CI set no test is skipped"
    );
    // Not a print, which is seen only where the test fails.
    writeln!(io::stderr(), "skipped: {tool} is not installed").ok();
    false
}

/// Whether tests run that take minutes or need the network, as in `make test-full`. Where not, this says that the test is
/// skipped.
pub fn is_full() -> bool {
    let is_full = env::var_os("TASKBAY_TEST_FULL").is_some();
    if !is_full {
        writeln!(
            io::stderr(),
            "skipped: it takes minutes; `make test-full` runs it"
        )
        .ok();
    }
    is_full
}

/// The Debian mirror of this machine. Where it has none that answers, this says that the test is skipped.
pub fn debian_mirror() -> Option<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/debian-mirror");
    let printed = Command::new(script).output().ok()?.stdout;
    let mirror = String::from_utf8(printed).ok()?.trim().to_owned();
    let release = format!("{mirror}/dists/bookworm/Release");
    let directory = tempfile::tempdir().ok()?;
    let mut fetch = Command::new("/usr/lib/apt/apt-helper");
    fetch
        .args(["download-file", &release])
        .arg(directory.path().join("Release"));
    let fetched = fetch.output();
    if !mirror.is_empty() && fetched.is_ok_and(|fetched| fetched.status.success()) {
        return Some(mirror);
    }
    writeln!(io::stderr(), "skipped: no Debian mirror answers").ok();
    None
}

/// The architecture of this machine, as dpkg calls it.
pub fn native_architecture() -> String {
    let mut dpkg = Command::new("dpkg");
    let printed = dpkg.arg("--print-architecture").output().unwrap().stdout;
    String::from_utf8(printed).unwrap().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic;

    #[test]
    fn a_missing_tool_skips_a_test_and_fails_it_in_ci() {
        let gone = ["sh", "taskbay-has-no-such-program"];
        assert!(has(&["sh"], false));
        assert!(has(&["sh"], true));
        assert!(!has(&gone, false));
        assert!(panic::catch_unwind(|| has(&gone, true)).is_err());
    }
}
