//! The same requests, executed by Debusine's worker and by ours on one server, come to the same.

use crate::{
    account::{Account, Difference},
    requests::Run,
    server::Server,
    stored::Stored,
    worker::Kind,
};
use taskbay_test::{debian_mirror, is_full};

/// What is not the same where there is no system, and why.
const WITHOUT_A_SYSTEM: &[Difference] = &[
    Difference {
        lines: &[
            "stock, lintian, no system: result failure",
            "ours, lintian, no system: result success",
            "ours, lintian, no system: artifact debian:lintian",
            "ours, lintian, no system: debian:lintian file analysis.json, complete: true",
            "ours, lintian, no system: debian:lintian file lintian.txt, complete: true",
            "ours, lintian, no system: debian:lintian relates-to debian:source-package",
            "ours, lintian, no system: debian:lintian.summary.",
        ],
        why: "without `environment` ours looks at the package on the worker itself, where the stock worker fails",
    },
    Difference {
        lines: &[
            "stock, blhc, no system: result failure",
            "ours, blhc, no system: result success",
            "ours, blhc, no system: artifact debian:blhc",
            "ours, blhc, no system: debian:blhc file blhc.txt, complete: true",
            "ours, blhc, no system: debian:blhc relates-to debian:package-build-log",
        ],
        why: "without `environment` ours reads the log on the worker itself, where the stock worker fails",
    },
];

/// What is not the same in any system of any version.
pub(crate) const TEMPORARY: Difference = Difference {
    lines: &[
        "stock, autopkgtest: debian:autopkgtest.cmdline = ",
        "ours, autopkgtest: debian:autopkgtest.cmdline = ",
    ],
    why: "directories for temporary files have other names, and ours has all of autopkgtest's own within the attempt's",
};

/// What is not the same in a system, and why.
const IN_A_SYSTEM: &[Difference] = &[
    Difference {
        lines: &[
            "stock, lintian: debian:lintian.summary.tags_count_by_severity.classification = 0",
            "stock, lintian: debian:lintian.summary.tags_count_by_severity.info = 0",
            "stock, lintian: artifact debian:lintian, 3 times",
            "stock, lintian: debian:lintian relates-to debian:binary-package, 3 times",
            "stock, lintian: debian:lintian relates-to debian:source-package, 3 times",
            "ours, lintian: artifact debian:lintian, 2 times",
            "ours, lintian: debian:lintian relates-to debian:binary-package, 2 times",
            "ours, lintian: debian:lintian relates-to debian:source-package, 2 times",
        ],
        why: "the stock worker uploads an analysis of the packages that are not there, too, in which nothing was found",
    },
    Difference {
        lines: &[
            "stock, blhc: result failure",
            "ours, blhc: result success",
            "ours, blhc: artifact debian:blhc",
            "ours, blhc: debian:blhc file blhc.txt, complete: true",
            "ours, blhc: debian:blhc relates-to debian:package-build-log",
        ],
        why: "the stock worker calls `useradd` in the system, which one of the variant `buildd` has not; ours needs no user there",
    },
    TEMPORARY,
    Difference {
        lines: &[
            "ours, autopkgtest: debian:autopkgtest relates-to debian:binary-package",
            "ours, autopkgtest: debian:autopkgtest relates-to debian:source-package",
        ],
        why: "ours says what was tested, as Debusine's own does in later versions",
    },
    Difference {
        lines: &["ours, sbuild: debian:package-build-log relates-to debian:upload"],
        why: "ours says of what upload the log is, as Debusine's own does in later versions",
    },
];

#[test]
fn requests_without_a_system_come_to_the_same() {
    if let Some(server) = Server::start() {
        without_a_system(&server, WITHOUT_A_SYSTEM);
    }
}

#[test]
fn requests_in_a_system_come_to_the_same() {
    let mirror = is_full().then(debian_mirror).flatten();
    if let Some((mirror, server)) = mirror.zip(Server::start()) {
        in_a_system(&server, &mirror, IN_A_SYSTEM);
    }
}

/// Asserts that what needs no system comes to the same with both workers, but for that.
pub(crate) fn without_a_system(server: &Server, known: &[Difference]) {
    let stored = Stored::on(server);
    are_the_same(server, known, |run| run.without_a_system(&stored));
}

/// The same of what needs one.
pub(crate) fn in_a_system(server: &Server, mirror: &str, known: &[Difference]) {
    let stored = Stored::on(server);
    are_the_same(server, known, |run| run.in_a_system(&stored, mirror));
}

fn are_the_same(server: &Server, known: &[Difference], execute: impl Fn(&mut Run<'_>)) {
    let [stock, ours] = [Kind::Stock, Kind::Ours].map(|kind| {
        let mut run = Run::with(server, kind);
        execute(&mut run);
        run.end()
    });
    Account::assert_all_same(&stock, &ours, known);
}
