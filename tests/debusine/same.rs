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

/// What is not the same in a system, and why.
const IN_A_SYSTEM: &[Difference] = &[
    Difference {
        lines: &[
            "stock, lintian: debian:lintian.summary.tags_count_by_severity.classification = 0",
            "stock, lintian: debian:lintian.summary.tags_count_by_severity.info = 0",
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
    Difference {
        lines: &[
            "stock, autopkgtest: debian:autopkgtest.cmdline = ",
            "ours, autopkgtest: debian:autopkgtest.cmdline = ",
        ],
        why: "directories for temporary files have other names, and ours has all of autopkgtest's own within the attempt's",
    },
    Difference {
        lines: &[
            "ours, autopkgtest: debian:autopkgtest relates-to debian:binary-package",
            "ours, autopkgtest: debian:autopkgtest relates-to debian:source-package",
        ],
        why: "ours says what was tested, as Debusine's own does in later versions",
    },
];

#[test]
fn requests_without_a_system_come_to_the_same() {
    let Some(server) = Server::start() else {
        return;
    };
    let stored = Stored::on(&server);
    let [stock, ours] = [Kind::Stock, Kind::Ours].map(|kind| {
        let mut run = Run::with(&server, kind);
        run.without_a_system(&stored);
        run.end()
    });
    Account::assert_all_same(&stock, &ours, WITHOUT_A_SYSTEM);
}

#[test]
fn requests_in_a_system_come_to_the_same() {
    if !is_full() {
        return;
    }
    let (Some(mirror), Some(server)) = (debian_mirror(), Server::start()) else {
        return;
    };
    let stored = Stored::on(&server);
    let [stock, ours] = [Kind::Stock, Kind::Ours].map(|kind| {
        let mut run = Run::with(&server, kind);
        run.in_a_system(&stored, &mirror);
        run.end()
    });
    Account::assert_all_same(&stock, &ours, IN_A_SYSTEM);
}
