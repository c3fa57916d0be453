//! Real runs, in a real environment and in none.

use super::*;
use taskbay_test::{environment, has_tools, names_in, native_architecture, packages, text_file};

#[test]
fn runs_real_tests_in_a_real_environment() {
    let Some(environment) = environment() else {
        return;
    };
    if !has_tools(&["autopkgtest", "dpkg-source", "dpkg-deb"]) {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let tests = "Test-Command: cat /usr/share/greeting | tee $AUTOPKGTEST_ARTIFACTS/said\n\
                 Features: test-name=good\n\n\
                 Test-Command: cat /usr/share/none\nFeatures: test-name=bad\nRestrictions: allow-stderr\n";
    let source = packages::source(
        top.path(),
        "tiny_1.0.dsc",
        &[("debian/tests/control", tests)],
    );
    let deb = packages::deb(
        top.path(),
        "tiny_1.0_all.deb",
        &[("usr/share/greeting", "hello\n")],
    );
    let artifacts = [&source[0], &deb].map(|file| taskbay_debian::artifact_of_file(file).unwrap());
    let [source, deb] = artifacts;
    let mut data = with(&json!({"build_architecture": native_architecture()}));
    data["include_tests"] = json!(["good"]);
    let run = |data: &Value| {
        execute(
            &task(data),
            vec![source.clone(), deb.clone(), environment.clone()],
        )
    };
    let good = run(&data);
    assert!(good.is_success());
    let made = &good.server.uploads()[0];
    assert_eq!(made.category, "debian:autopkgtest");
    assert_eq!(
        made.data["results"],
        json!({"good": {"status": "PASS", "details": null}})
    );
    assert_eq!(made.data["distribution"], "debian:bookworm");
    let names = names_in(made);
    for name in ["summary", "log", "testpkg-version", "artifacts/said"] {
        assert!(names.contains(&name.to_owned()), "no {name} in {names:?}");
    }
    assert_eq!(good.server.relations(), [(101, 1), (101, 2)]);
    let left = fs::read_dir(good.work.path().join("tmp")).unwrap().count();
    assert_eq!(left, 0, "the system that was unpacked is gone");

    data["include_tests"] = json!(["bad"]);
    let bad = run(&data);
    assert!(!bad.is_success());
    assert_eq!(
        bad.server.uploads()[0].data["results"]["bad"]["status"],
        "FAIL"
    );
}

#[test]
fn a_broken_environment_is_an_error() {
    if !has_tools(&["autopkgtest", "newuidmap", "dpkg-source"]) {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let tests = ("debian/tests/control", "Test-Command: true\n");
    let files = packages::source(top.path(), "tiny_1.0.dsc", &[tests]);
    // An upload says the name and the version elsewhere than a source package does.
    let source = Artifact::new("debian:upload", json!({"type": "dpkg"}), files);
    let broken = text_file(top.path(), "system.tar.xz", "no tarball");
    let system = json!({"codename": "trixie", "vendor": "kali"});
    let environment = Artifact::new("debian:system-tarball", system, vec![broken]);
    let mut data = with(&json!({"build_architecture": native_architecture()}));
    data["input"]["binary_artifacts"] = json!([]);
    data["environment"] = json!(2);
    let execution = execute(&task(&data), vec![source, environment]);
    let message = execution.error();
    assert!(
        message.contains("could not use the environment"),
        "{message}"
    );
    let made = execution.upload();
    let package = json!({"name": "tiny", "version": "1.0", "url": ""});
    assert_eq!(made.data["source_package"], package);
    assert_eq!(made.data["distribution"], "kali:trixie");
}
