use super::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use taskbay_test::{
    WorkerMetadata, assert_unknown_keys_are_refused, configure, faults, with_keys, words_of,
};

mod execution;

fn minimal() -> Value {
    json!({"input": {"source_artifact": 1}, "environment": 2, "build_architecture": "amd64"})
}

fn with(changes: &Value) -> Value {
    with_keys(minimal(), changes)
}

fn task(data: &Value) -> Sbuild {
    serde_json::from_value(data.clone()).unwrap()
}

const KEY: &str =
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n-----END PGP PUBLIC KEY BLOCK-----\n";

/// The words that sbuild is called with for that data, where files of the work directory are said by name.
fn words(data: &Value, codename: Option<&str>, packages: &[&str]) -> Vec<String> {
    let work = tempfile::tempdir().unwrap();
    let files = Files {
        dsc: Path::new("/hello.dsc"),
        tarball: Path::new("/system.tar.xz"),
        codename,
        packages: packages.iter().map(PathBuf::from).collect(),
        output: Path::new("/build"),
        tmp: work.path(),
    };
    let command = command::command(&task(data), &files).unwrap();
    let tmp = work.path().to_str().unwrap();
    let words = words_of(&command).into_iter();
    words
        .map(|word| word.replace(tmp, "TMP"))
        .filter(|word| !word.starts_with("--chroot-setup-commands="))
        .collect()
}

#[test]
fn takes_a_request_that_a_debusine_server_sent() {
    let data = json!({
        "input": {"source_artifact": 65}, "backend": "unshare", "environment": 63, "build_components": ["all"],
        "host_architecture": "amd64",
    });
    configure::<Sbuild>(&data).unwrap();
}

#[test]
fn refuses_what_cannot_be_built_and_says_where() {
    let binnmu = json!({"changelog": "again", "suffix": "+b1"});
    let late = json!({"changelog": "again", "suffix": "", "timestamp": "yesterday"});
    let repository = json!([{"url": "http://a", "suite": "sid"}]);
    for (changes, words) in [
        (
            json!({"build_architecture": ""}),
            "/build_architecture: must name",
        ),
        (
            json!({"host_architecture": "i386"}),
            "/host_architecture: is the old name",
        ),
        (json!({"build_components": []}), "/build_components: needs"),
        (
            json!({"build_components": ["any", "all"], "binnmu": binnmu}),
            "cannot hold `all` in a binNMU",
        ),
        (json!({"binnmu": late}), "/binnmu/timestamp: is no time"),
        (json!({"binnmu": late}), "/binnmu/suffix: must not be empty"),
        (json!({"build_profiles": ["a,b"]}), "/build_profiles"),
        (
            json!({"extra_repositories": repository}),
            "/extra_repositories/0/components",
        ),
        (
            json!({"build_dep_resolver": "guess"}),
            "/build_dep_resolver",
        ),
        (json!({"lintian": true}), "lintian"),
    ] {
        let faults = faults::<Sbuild>(&with(&changes)).join("; ");
        assert!(faults.contains(words), "{changes}: {faults}");
    }
    let faults = faults::<Sbuild>(&json!({"input": {"source_artifact": 1}})).join("; ");
    assert!(faults.contains("environment"), "{faults}");
}

#[test]
fn needs_sbuild_an_executor_and_the_architecture() {
    let refusals = |data: &Value| {
        let worker = WorkerMetadata::offering::<Sbuild>()
            .with("sbuild:available", false)
            .with("executor:unshare:available", true)
            .with("executor:qemu:available", false)
            .with("system:architectures", json!(["amd64"]));
        configure::<Sbuild>(data).unwrap().lacking(worker)
    };
    assert_eq!(refusals(&minimal()), ["sbuild:available"]);
    assert_eq!(
        refusals(&with(
            &json!({"build_architecture": "arm64", "backend": "qemu"})
        )),
        [
            "system:architectures",
            "sbuild:available",
            "executor:qemu:available"
        ]
    );
}

#[test]
fn calls_sbuild_as_the_data_says() {
    let common = ["--purge-deps=never", "--no-run-lintian"];
    let rest = [
        "--chroot-mode=unshare",
        "--chroot=/system.tar.xz",
        "--build-dir=/build",
        "--bd-uninstallable-explainer=dose3",
    ];
    let mut plain = common.to_vec();
    plain.extend([
        "--arch-any",
        "--no-arch-all",
        "--no-source",
        "--arch=amd64",
        "--dist=unstable",
    ]);
    plain.extend(rest);
    plain.push("/hello.dsc");
    assert_eq!(words(&minimal(), None, &[]), plain);

    let data = with(&json!({
        "build_components": ["any", "source"],
        "binnmu": {
            "changelog": "Rebuild.\nAgain.", "suffix": "+b2", "timestamp": "2024-01-31T12:00:00Z",
            "maintainer": "A Person <a@example.org>",
        },
        "build_profiles": ["nocheck", "nodoc"],
        "extra_repositories": [
            {"url": "http://a", "suite": "sid", "components": ["main"], "signing_key": KEY}, {"url": "file:/b", "suite": "./"}
        ],
        "build_dep_resolver": "aspcud", "aspcud_criteria": "-removed", "resolve_alternatives": false,
    }));
    let mut full = common.to_vec();
    full.extend([
        "--arch-any",
        "--no-arch-all",
        "--source",
        "--arch=amd64",
        "--dist=bookworm",
    ]);
    full.extend(rest);
    full.extend([
        "--profiles=nocheck,nodoc",
        "--make-binNMU=Rebuild.\nAgain.",
        "--append-to-version=+b2",
        "--binNMU=0",
        "--binNMU-timestamp=1706702400",
        "--maintainer=A Person <a@example.org>",
        "--build-dep-resolver=aspcud",
        "--aspcud-criteria=-removed",
        "--no-resolve-alternatives",
        "--extra-repository=deb http://a sid main",
        "--extra-repository-key=TMP/extra-repository-0.asc",
        "--extra-repository=deb file:/b ./",
        "--extra-package=/x.deb",
        "/hello.dsc",
    ]);
    assert_eq!(words(&data, Some("bookworm"), &["/x.deb"]), full);
}

#[test]
fn a_build_is_for_an_architecture_or_else_says_what_is_built() {
    for (components, target) in [
        (json!(["all"]), "all"),
        (json!(["source"]), "source"),
        (json!(["any"]), "amd64"),
        (json!(["all", "any"]), "amd64"),
        (json!(["source", "all"]), "amd64"),
    ] {
        let data = with(&json!({"build_components": components}));
        assert_eq!(task(&data).target(), target, "{components}");
    }
}

/// The end of a real log, of a package whose build dependency is nowhere.
const UNINSTALLABLE: &str = "\
| Summary                                                                      |
+------------------------------------------------------------------------------+

Build Architecture: amd64
Build Type: any
Fail-Stage: install-deps
Host Architecture: amd64
Status: given-back
Version: 1.0
--------------------------------------------------------------------------------
";

#[test]
fn the_last_status_counts_and_so_does_the_exit_code() {
    let verdict = |log: &str, code: i32| {
        let mut verdict = verdict::Verdict::default();
        log.lines().for_each(|line| verdict.hear(line));
        let verdict = verdict.is_success(Some(code));
        verdict.map_err(|error| error.message())
    };
    assert_eq!(verdict("Status: successful\n", 0), Ok(true));
    assert_eq!(verdict("Status: successful\n", 1), Ok(false));
    assert_eq!(
        verdict("Status: successful\nStatus: skipped\n", 0),
        Ok(false)
    );
    assert_eq!(
        verdict("x Status: attempted\nStatus: attempted\n", 2),
        Ok(false)
    );
    assert_eq!(verdict(UNINSTALLABLE, 3), Ok(false));
    let built = UNINSTALLABLE.replace("install-deps", "build");
    assert_eq!(verdict(&built, 2), Ok(false));
    for stage in ["create-session", "apt-get-update", "resolver setup"] {
        let broken = UNINSTALLABLE.replace("install-deps", stage);
        let error = verdict(&broken, 1).unwrap_err();
        assert!(error.contains(&format!("failed at `{stage}`")), "{error}");
    }
    assert!(verdict("", 0).unwrap_err().contains("before it had built"));
}

#[test]
fn the_date_of_a_binnmu_may_be_of_any_zone() {
    let seconds = |timestamp: &str| {
        let binnmu = json!({"changelog": "again", "suffix": "+b1", "timestamp": timestamp});
        task(&with(&json!({"binnmu": binnmu})))
            .binnmu
            .unwrap()
            .seconds()
    };
    for same in [
        "2024-01-31T12:00:00Z",
        "2024-01-31t12:00:00z",
        "2024-01-31T12:00:00.5+00:00",
        "2024-01-31T13:00:00+01:00",
        "2024-01-31T06:30:00-05:30",
        "2024-02-01T01:45:00+13:45",
    ] {
        assert_eq!(seconds(same), Some(1_706_702_400), "{same}");
    }
    for none in [
        "2024-01-31",
        "2024-01-31T12:00:00+24:00",
        "2024-01-31T12:00:00+01:60",
        "2024-01-31T12:00:00+-1:00",
        "2024-01-31T12:00:00+1:000",
        "1970-01-01T00:00:00+01:00",
        "+01:00",
        "\u{e9}\u{e9}\u{e9}\u{e9}",
    ] {
        assert_eq!(seconds(none), None, "{none}");
    }
}

#[test]
fn is_limited_since_a_system_is_unpacked() {
    let task = configure::<Sbuild>(&minimal()).unwrap();
    assert_eq!(task.confinement(), Confinement::Limits);
}

#[test]
fn says_what_it_does_in_a_line() {
    let task =
        configure::<Sbuild>(&with(&json!({"input": {"source_artifact": "./hello.dsc"}}))).unwrap();
    assert_eq!(task.label().unwrap(), "build hello.dsc for amd64");
}

#[test]
fn unknown_keys_are_refused() {
    assert_unknown_keys_are_refused::<Sbuild>(&minimal());
}

#[test]
fn another_backend_than_unshare_is_an_error() {
    let run = taskbay_test::execute(&task(&with(&json!({"backend": "qemu"}))), Vec::new());
    let message = run.error();
    assert!(message.contains("with `unshare` alone"), "{message}");
}
