use super::*;
use crate::data::FailOn;
use serde_json::Value;
use taskbay_test::{
    WorkerMetadata, assert_unknown_keys_are_refused, configure, execute, faults, with_keys,
    words_of,
};

mod execution;

fn with(changes: &Value) -> Value {
    let data = json!({
        "input": {"source_artifact": 1, "binary_artifacts": [2]}, "environment": 3, "build_architecture": "amd64",
    });
    with_keys(data, changes)
}

fn task(data: &Value) -> Autopkgtest {
    serde_json::from_value(data.clone()).unwrap()
}

const KEY: &str =
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n-----END PGP PUBLIC KEY BLOCK-----\n";

/// The words that autopkgtest is called with for that data, where the temporary directory is called TMP.
fn words(data: &Value, codename: Option<&str>) -> Vec<String> {
    let tmp = tempfile::tempdir().unwrap();
    let files = Files {
        dsc: Path::new("/hello.dsc"),
        packages: vec!["/hello.deb".into()],
        tarball: Path::new("/system.tar.xz"),
        codename,
        output: Path::new("/results"),
        tmp: tmp.path(),
    };
    let command = command::command(&task(data), &files).unwrap();
    let tmp = tmp.path().to_str().unwrap();
    let words = words_of(&command).into_iter();
    words
        .map(|word| word.replace(tmp, "TMP"))
        .filter(|word| word != "--copy=/etc/resolv.conf:/etc/resolv.conf")
        .collect()
}

#[test]
fn refuses_what_cannot_be_tested_and_says_where() {
    configure::<Autopkgtest>(&with(&json!({}))).unwrap();
    for (changes, words) in &[
        (
            json!({"build_architecture": null}),
            "/build_architecture: must name",
        ),
        (
            json!({"host_architecture": "i386"}),
            "/host_architecture: is the old name",
        ),
        (json!({"debug_level": 4}), "/debug_level"),
        (json!({"needs_internet": "maybe"}), "/needs_internet"),
        (json!({"timeout": {"short": "long"}}), "/timeout"),
        (
            json!({"extra_environment": {"A=B": "c"}}),
            "is no name of a variable",
        ),
        (
            json!({"extra_repositories": [{"url": "a b", "suite": "./"}]}),
            "/extra_repositories/0/url",
        ),
    ] {
        let faults = faults::<Autopkgtest>(&with(changes)).join("; ");
        assert!(faults.contains(words), "{changes}: {faults}");
    }
}

#[test]
fn needs_autopkgtest_and_an_executor() {
    let worker =
        WorkerMetadata::offering::<Autopkgtest>().with("system:architectures", json!(["amd64"]));
    let keys = configure::<Autopkgtest>(&with(&json!({})))
        .unwrap()
        .lacking(worker);
    assert_eq!(
        keys,
        ["autopkgtest:available", "executor:unshare:available"]
    );
}

#[test]
fn calls_autopkgtest_as_the_data_says() {
    let end = [
        "--tarball",
        "/system.tar.xz",
        "--prefix",
        "TMP/autopkgtest.",
    ];
    let start = [
        "--apt-upgrade",
        "--output-dir=/results",
        "--summary=/results/summary",
        "--no-built-binaries",
    ];
    let mut plain = start.to_vec();
    plain.extend([
        "--needs-internet=run",
        "/hello.deb",
        "/hello.dsc",
        "--",
        "unshare",
        "--arch",
        "amd64",
    ]);
    plain.extend(end);
    assert_eq!(words(&with(&json!({})), None), plain);

    let data = with(&json!({
        "include_tests": ["a", "b"], "exclude_tests": ["c"], "debug_level": 2, "needs_internet": "skip",
        "extra_environment": {"LANG": "C"}, "timeout": {"global": 60, "factor": 2},
        "extra_repositories": [{"url": "http://a", "suite": "sid", "components": ["main"], "signing_key": KEY}],
        "use_packages_from_base_repository": true, "pin_packages": {"sid": ["hello", "src:tiny"]},
    }));
    let mut full = start.to_vec();
    full.extend([
        "--test-name=a",
        "--test-name=b",
        "--skip-test=c",
        "--debug",
        "--debug",
        "--env=LANG=C",
        "--needs-internet=skip",
        "--timeout-global=60",
        "--timeout-factor=2",
        "--copy=TMP/taskbay-0.asc:/etc/apt/trusted.gpg.d/taskbay-0.asc",
        "--add-apt-source=deb http://a sid main",
        "--apt-default-release=bookworm",
        "--pin-packages=sid=hello,src:tiny",
        "/hello.deb",
        "/hello.dsc",
        "--",
        "unshare",
        "--arch",
        "amd64",
        "--release",
        "bookworm",
    ]);
    full.extend(end);
    assert_eq!(words(&data, Some("bookworm")), full);
}

#[test]
fn the_summary_and_the_exit_code_decide() {
    let text = "command1             PASS\nupstream-tests       FAIL non-zero exit status 2\nslow FLAKY timed out\n\
                * SKIP no tests in this package\nblame: nobody\n";
    let summary = Summary::parse(text);
    assert_eq!(
        summary.results(),
        json!({
            "command1": {"status": "PASS", "details": null},
            "upstream-tests": {"status": "FAIL", "details": "non-zero exit status 2"},
            "slow": {"status": "FLAKY", "details": "timed out"},
            "*": {"status": "SKIP", "details": "no tests in this package"},
        })
    );
    let fail_on = |failed_test, flaky_test, skipped_test| FailOn {
        failed_test,
        flaky_test,
        skipped_test,
    };
    let verdict = |text: &str, fail_on: &FailOn, code: i32| {
        Summary::parse(text)
            .is_success(fail_on, Some(code))
            .unwrap()
    };
    let default = FailOn::default();
    assert!(verdict("a PASS\n", &default, 0));
    assert!(verdict("a PASS\nb SKIP no\n", &default, 2));
    assert!(!verdict(
        "a PASS\nb SKIP no\n",
        &fail_on(true, false, true),
        2
    ));
    assert!(verdict("* SKIP no tests\n", &default, 8));
    assert!(!verdict("a FAIL\n", &default, 4));
    assert!(verdict("a FAIL\n", &fail_on(false, false, false), 4));
    assert!(!verdict("a FLAKY\n", &fail_on(false, true, false), 0));
    assert!(!verdict("", &default, 12), "the package is broken");
    for code in [Some(16), Some(20), Some(1), None] {
        assert!(summary.is_success(&default, code).is_err(), "{code:?}");
    }
}

#[test]
fn results_are_all_files_but_the_packages() {
    let top = tempfile::tempdir().unwrap();
    for file in ["log", "a/b/c", "artifacts/binaries/x", "binaries/hello.deb"] {
        let file = top.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
    std::os::unix::fs::symlink("/etc/passwd", top.path().join("link")).unwrap();
    std::os::unix::fs::symlink("/etc", top.path().join("links")).unwrap();
    let no_text = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff");
    fs::write(top.path().join(no_text), "").unwrap();
    let found = results(top.path()).unwrap();
    let below = found.iter().map(|file| file.strip_prefix(top.path()));
    let below: Vec<_> = below.map(|file| file.unwrap().to_str().unwrap()).collect();
    assert_eq!(below, ["a/b/c", "artifacts/binaries/x", "log"]);
    assert!(results(&top.path().join("none")).unwrap().is_empty());
}

/// A package may say what it likes: its tests fail whatever it prints in them, as it is built, or as it is installed.
#[test]
fn a_package_cannot_say_that_the_disk_is_full() {
    let context = Context::new("/", taskbay_plugin_api::Abort::new());
    let checked = |lines: &[&str]| {
        let (mut room, mut voice) = (Room::of(&context), Voice::default());
        for line in lines {
            voice.tell(&mut room, line);
        }
        room.check().map_err(|error| error.message())
    };
    let testing = "autopkgtest [12:00:00]: testing package tiny version 1.0";
    let build = "autopkgtest [12:00:00]: build needed for tests";
    let start = "autopkgtest [12:00:00]: test good: [-----------------------";
    for words in [
        "x: Disk quota exceeded",
        "E: You don't have enough free space in /a/.",
    ] {
        for said in [
            &[start, words][..],
            &[testing, build, words, start],
            &[testing, "Setting up tiny (1.0) ...", words, start],
        ] {
            assert_eq!(checked(said), Ok(()), "{said:?}");
        }
        for trusted in [
            &[words, start][..],
            &["Setting up base (1) ...", words, testing],
            // It is apt that says it, before anything is unpacked.
            &[testing, "Reading package lists...", words],
        ] {
            let said = checked(trusted).unwrap_err();
            assert!(said.contains(words), "{trusted:?}");
        }
    }
}

#[test]
fn is_limited_since_a_system_is_unpacked() {
    let task = configure::<Autopkgtest>(&with(&json!({}))).unwrap();
    assert_eq!(task.confinement(), Confinement::Limits);
}

#[test]
fn says_what_it_does_in_a_line() {
    let task = configure::<Autopkgtest>(&with(&json!({}))).unwrap();
    assert_eq!(task.label().unwrap(), "test artifact 1 on amd64");
}

#[test]
fn unknown_keys_are_refused() {
    assert_unknown_keys_are_refused::<Autopkgtest>(&with(&json!({})));
}

#[test]
fn another_backend_than_unshare_is_an_error() {
    let run = execute(&task(&with(&json!({"backend": "qemu"}))), Vec::new());
    let message = run.error();
    assert!(message.contains("with `unshare` alone"), "{message}");
}
