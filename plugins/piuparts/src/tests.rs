use super::*;
use serde_json::Value;
use taskbay_debian::ExtraRepository;
use taskbay_test::{
    Execution, WorkerMetadata, assert_unknown_keys_are_refused, configure, environment, execute,
    faults, has_tools, native_architecture, packages, with_keys,
};

fn with(changes: &Value) -> Value {
    let data = json!({
        "input": {"binary_artifacts": [1]}, "environment": 2, "base_tgz": 2, "build_architecture": "amd64",
    });
    with_keys(data, changes)
}

#[test]
fn refuses_what_cannot_be_tested_and_says_where() {
    configure::<Piuparts>(&with(&json!({}))).unwrap();
    for (changes, words) in &[
        (
            json!({"input": {"binary_artifacts": []}}),
            "/input/binary_artifacts: names no package",
        ),
        (json!({"base_tgz": null}), "/base_tgz"),
        (
            json!({"host_architecture": "i386"}),
            "/host_architecture: is the old name",
        ),
        (json!({"backend": "docker"}), "/backend"),
        (
            json!({"extra_repositories": [{"url": "a", "suite": "b"}]}),
            "/extra_repositories/0/components",
        ),
    ] {
        let faults = faults::<Piuparts>(&with(changes)).join("; ");
        assert!(faults.contains(words), "{changes}: {faults}");
    }
}

#[test]
fn needs_an_executor_and_the_architecture() {
    let worker = WorkerMetadata::offering::<Piuparts>().with("executor:unshare:available", false);
    let task = configure::<Piuparts>(&with(&json!({"build_architecture": "riscv64"}))).unwrap();
    let keys = task.lacking(worker);
    assert_eq!(keys, ["system:architectures", "executor:unshare:available"]);
}

const KEY: &str =
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n-----END PGP PUBLIC KEY BLOCK-----\n";

#[test]
fn repositories_are_added_by_a_script() {
    let repositories = json!([
        {"url": "http://a", "suite": "sid", "components": ["main"], "signing_key": KEY},
        {"url": "file:/b", "suite": "./"},
    ]);
    let repositories: Vec<ExtraRepository> = serde_json::from_value(repositories).unwrap();
    let repositories: Vec<_> = repositories.iter().collect();
    assert_eq!(
        chroot::script(&repositories),
        format!(
            "#!/bin/sh\nset -e\n\
         cat >/etc/apt/sources.list.d/taskbay-0.list <<'TASKBAY-END'\ndeb http://a sid main\nTASKBAY-END\n\
         cat >/etc/apt/trusted.gpg.d/taskbay-0.asc <<'TASKBAY-END'\n{KEY}TASKBAY-END\n\
         cat >/etc/apt/sources.list.d/taskbay-1.list <<'TASKBAY-END'\ndeb file:/b ./\nTASKBAY-END\n"
        )
    );
}

/// Tests a package with that script after its removal.
fn tested(postrm: &str) -> Option<Execution> {
    let environment = environment()?;
    if !has_tools(&["dpkg-deb"]) {
        return None;
    }
    let top = tempfile::tempdir().unwrap();
    let script = format!("#!/bin/sh\n{postrm}\n");
    let files = [
        ("etc/tiny.conf", "greeting\n"),
        ("DEBIAN/postrm", script.as_str()),
    ];
    let tree = top.path().join("tiny_1.0_all");
    std::fs::create_dir_all(tree.join("DEBIAN")).unwrap();
    let file = std::fs::File::create(tree.join("DEBIAN/postrm")).unwrap();
    let mode: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    file.set_permissions(mode).unwrap();
    let deb = packages::deb(top.path(), "tiny_1.0_all.deb", &files);
    // As a store may keep it.
    let mode: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&deb, mode).unwrap();
    let deb = taskbay_debian::artifact_of_file(&deb).unwrap();
    let data = with(&json!({"build_architecture": native_architecture()}));
    let task: Piuparts = serde_json::from_value(data).unwrap();
    Some(execute(&task, vec![deb, environment]))
}

#[test]
fn a_real_package_that_goes_cleanly_is_a_success() {
    let Some(execution) = tested("true") else {
        return;
    };
    assert!(execution.is_success());
    execution.assert_logged("PASS: All tests.");
    let report = execution.upload();
    assert_eq!(report.category, "debian:piuparts");
    let data = &report.data;
    assert_eq!(data["binary_packages"], json!({"tiny": "1.0"}));
    assert_eq!(data["architecture"], native_architecture());
    assert_eq!(data["distribution"], "debian:bookworm");
    let version = data["piuparts_version"].as_str().unwrap();
    assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{data}");
    let [file] = &report.files[..] else {
        panic!("{report:?}");
    };
    assert_eq!(file.file_name().unwrap(), "piuparts.txt");
    let said = std::fs::read_to_string(file).unwrap();
    assert!(said.contains("PASS: All tests."), "{said}");
    let id = taskbay_test::FIRST_UPLOAD;
    assert_eq!(execution.server.relations(), [(id, 1), (id, 2)]);
}

#[test]
fn a_real_package_that_cannot_be_removed_is_a_failure() {
    let Some(execution) = tested("echo this is broken; false") else {
        return;
    };
    assert!(!execution.is_success());
    execution.assert_logged("this is broken");
    assert_eq!(execution.upload().category, "debian:piuparts");
}

#[test]
fn is_limited_since_a_system_is_unpacked() {
    let task = configure::<Piuparts>(&with(&json!({}))).unwrap();
    assert_eq!(task.confinement(), Confinement::Limits);
}

#[test]
fn says_what_it_does_in_a_line() {
    let task = configure::<Piuparts>(&with(&json!({}))).unwrap();
    assert_eq!(task.label().unwrap(), "install and remove artifact 1");
}

#[test]
fn unknown_keys_are_refused() {
    assert_unknown_keys_are_refused::<Piuparts>(&with(&json!({})));
}
