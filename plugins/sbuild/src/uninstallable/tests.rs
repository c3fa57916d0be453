use super::*;
use serde_json::json;

/// The explanation in a log.
fn explanation(log: &str) -> Option<Value> {
    let mut explanation = Explanation::default();
    for line in log.lines() {
        explanation.hear(line);
    }
    explanation.value()
}

/// Of a real log.
const MISSING: &str = "\
(I)Dose_applications: Cudf Universe: 63442 packages
(I)Dose_applications: Solving...
output-version: 1.2
native-architecture: amd64
report:
 -
  package: sbuild-build-depends-main-dummy
  version: 0.invalid.0
  architecture: amd64
  status: broken
  reasons:
   -
    missing:
     pkg:
      package: sbuild-build-depends-main-dummy
      version: 0.invalid.0
      architecture: amd64
      unsat-dependency: debhelper:amd64 (>= 99)
\u{20}
background-packages: 63441
foreground-packages: 1
total-packages: 63442
broken-packages: 1

+------------------------------------------------------------------------------+
| Cleanup                                                                      |
";

/// What dose says of two packages that exclude each other.
const CONFLICT: &str = "
    conflict:
     pkg1:
      package: a
      version: 1
      unsat-conflict: b:amd64
     pkg2:
      package: b
      version: 2
     depchain1:
      -
       depchain:
        -
         package: sbuild-build-depends-main-dummy
         version: 0.invalid.0
         depends: a:amd64
";

#[test]
fn a_log_says_what_is_missing() {
    let main = json!({
        "package": "sbuild-build-depends-main-dummy", "version": "0.invalid.0", "architecture": "amd64",
    });
    let mut missing = main.clone();
    missing["unsat-dependency"] = "debhelper:amd64 (>= 99)".into();
    let mut package = main;
    package["status"] = "broken".into();
    package["reasons"] = json!([{"missing": {"pkg": missing}}]);
    assert_eq!(
        explanation(MISSING),
        Some(json!({
            "output-version": "1.2", "native-architecture": "amd64", "report": [package],
            "background-packages": 63441, "foreground-packages": 1, "total-packages": 63442, "broken-packages": 1,
        }))
    );
}

#[test]
fn a_log_says_what_is_in_conflict() {
    let (start, rest) = MISSING.split_once("\n    missing:").unwrap();
    let end = rest.split_once("\u{20}\nback").unwrap().1;
    let log = format!("{start}{CONFLICT}\nback{end}");
    let found = explanation(&log).unwrap();
    let conflict = &found["report"][0]["reasons"][0]["conflict"];
    assert_eq!(conflict["pkg1"]["unsat-conflict"], "b:amd64");
    let chain = &conflict["depchain1"][0]["depchain"];
    assert_eq!(chain[0]["depends"], "a:amd64");
}

#[test]
fn what_a_server_would_refuse_is_none() {
    assert_eq!(explanation("no dose here\n"), None);
    for (good, bad) in [
        ("total-packages: 63442", "total-packages: many"),
        ("total-packages: 63442\n", ""),
        ("output-version: 1.2\n", ""),
        ("status: broken", "status: strange"),
        ("  reasons:", "  other: x\n  reasons:"),
        ("missing:", "wrong:"),
        ("     pkg:", "     other:"),
        ("      unsat-dependency:", "      unsat-conflict:"),
        ("report:", "reports:"),
        ("output-version: 1.2\n", "output-version: 1.2\nodd: 1\n"),
    ] {
        assert!(MISSING.contains(good), "{good}");
        assert_eq!(explanation(&MISSING.replace(good, bad)), None, "{bad}");
    }
    let endless = format!("{START}\n{}", "a: b\n".repeat(LONGEST));
    assert_eq!(explanation(&endless), None);
}
