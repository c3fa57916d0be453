//! The tools that a test calls, which need not be there.

use std::{
    env,
    io::{self, Write},
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
