//! The same requests, executed by Debusine's worker and by ours on one server of 0.16.2 or later, come to the same.

use crate::{
    account::Difference,
    same::{TEMPORARY, in_a_system, without_a_system},
    server::Server,
};
use taskbay_test::debian_mirror;

/// What is not the same where there is no system, and why.
const WITHOUT_A_SYSTEM: &[Difference] = &[
    Difference {
        lines: &["ours, noop, broken: told errors"],
        why: "ours says what went wrong, for whoever looks at the request; the stock worker says the result alone",
    },
    Difference {
        lines: &[
            "stock, lintian, no system: result failure",
            "ours, lintian, no system: result success",
            "ours, lintian, no system: artifact debian:lintian",
            "ours, lintian, no system: debian:lintian file analysis.json, complete: true",
            "ours, lintian, no system: debian:lintian file lintian.txt, complete: true",
            "ours, lintian, no system: debian:lintian relates-to debian:source-package",
            "ours, lintian, no system: debian:lintian.architecture = \"source\"",
            "ours, lintian, no system: debian:lintian.summary.",
        ],
        why: "without `environment` ours looks at the package on the worker itself, where the stock worker fails",
    },
];

/// What is not the same in a system.
const IN_A_SYSTEM: &[Difference] = &[TEMPORARY];

#[test]
fn requests_without_a_system_come_to_the_same() {
    if let Some(server) = Server::start_newer() {
        without_a_system(&server, WITHOUT_A_SYSTEM);
    }
}

#[test]
fn requests_in_a_system_come_to_the_same() {
    if let Some((mirror, server)) = debian_mirror().zip(Server::start_newer()) {
        in_a_system(&server, &mirror, IN_A_SYSTEM);
    }
}
