//! What a test needs of its machine, which need not be there: then the test is skipped, and says so.

use std::{
    env,
    fmt::Display,
    io::{self, Write},
    process::Command,
};
use taskbay_plugin_api::is_available;

/// Says that a test is skipped, in whole or in part, and why: this machine, or this user, cannot try it.
pub fn skip(why: impl Display) {
    // Not a print, which is seen only where the test fails.
    writeln!(io::stderr(), "skipped: {why}").ok();
}

/// Says that a test is skipped since something is not installed, as in ``"x is not installed; `make tools` installs it"``.
/// Where the variable `CI` is set, the test fails, since a test that nobody runs proves nothing.
pub fn skip_not_installed(what: impl Display) {
    skip_unless(env::var_os("CI").is_some(), what);
}

fn skip_unless(must_be_there: bool, what: impl Display) {
    assert!(
        !must_be_there,
        "{what}, and with CI set no test is skipped for that"
    );
    skip(what);
}

/// Whether all these tools are there. Where one is not, this says that the test is skipped; where the variable `CI` is
/// set, the test fails, since a test that nobody runs proves nothing.
pub fn has_tools(tools: &[&str]) -> bool {
    has(tools, env::var_os("CI").is_some())
}

fn has(tools: &[&str], all_must_be_there: bool) -> bool {
    let missing = tools.iter().find(|tool| !is_available(tool));
    if let Some(tool) = missing {
        skip_unless(all_must_be_there, format!("{tool} is not installed"));
    }
    missing.is_none()
}

/// Whether tests run that take minutes or need the network, as in `make test-full`. Where not, this says that the test is
/// skipped.
pub fn is_full() -> bool {
    let is_full = env::var_os("TASKBAY_TEST_FULL").is_some();
    if !is_full {
        skip("it takes minutes; `make test-full` runs it");
    }
    is_full
}

/// The Debian mirror of this machine. Where it has none that answers, this says that the test is skipped.
pub fn debian_mirror() -> Option<String> {
    let mut find = Command::new("sh");
    find.args(["-c", include_str!("debian-mirror")]);
    let printed = find.output().unwrap().stdout;
    let mirror = String::from_utf8(printed).unwrap().trim().to_owned();
    let release = format!("{mirror}/dists/bookworm/Release");
    let directory = tempfile::tempdir().unwrap();
    let mut fetch = Command::new("/usr/lib/apt/apt-helper");
    fetch
        .args(["download-file", &release])
        .arg(directory.path().join("Release"));
    let fetched = fetch.output();
    if !mirror.is_empty() && fetched.is_ok_and(|fetched| fetched.status.success()) {
        return Some(mirror);
    }
    skip("no Debian mirror answers");
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

    /// The harness of a test that passes shows nothing that it prints.
    #[test]
    fn a_test_that_is_skipped_is_seen_to_be() {
        const IN_ITS_OWN_RUN: &str = "TASKBAY_TEST_SKIPS_ITSELF";
        if env::var_os(IN_ITS_OWN_RUN).is_some() {
            skip("there is no moon");
            return;
        }
        let name = "tools::tests::a_test_that_is_skipped_is_seen_to_be";
        let mut itself = Command::new(env::current_exe().unwrap());
        itself.args(["--exact", name]).env(IN_ITS_OWN_RUN, "");
        let ran = itself.output().unwrap();
        let (said, told) = (
            String::from_utf8_lossy(&ran.stdout),
            String::from_utf8_lossy(&ran.stderr),
        );
        assert!(said.contains("1 passed"), "{said}{told}");
        assert_eq!(told, "skipped: there is no moon\n");
    }
}
