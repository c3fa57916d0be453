use super::*;
use serde_json::json;
use std::{fs, process::Command};
use taskbay_test::{
    WorkerMetadata, configure, debian_mirror, execute, faults, has_tools, is_full,
    native_architecture, with_value, words_of,
};

fn minimal() -> Value {
    json!({
        "bootstrap_options": {"architecture": "amd64"},
        "bootstrap_repositories": [{"mirror": "http://deb.example/debian", "suite": "bookworm"}],
    })
}

fn task(data: &Value) -> Mmdebstrap {
    serde_json::from_value(data.clone()).unwrap()
}

/// The words that mmdebstrap is called with for that data, and the sources that it reads.
fn called(data: &Value) -> (Vec<String>, String) {
    let work = tempfile::tempdir().unwrap();
    let context = Context::new(work.path(), taskbay_plugin_api::Abort::new());
    let task = task(data);
    let system = task.bootstrap().prepare(&context, work.path()).unwrap();
    let command = task.command(&system, work.path());
    let sources = fs::read_to_string(work.path().join("host.sources")).unwrap();
    (words_of(&command), sources)
}

#[test]
fn defaults_are_filled_in() {
    let data = configure::<Mmdebstrap>(&minimal()).unwrap().data();
    assert_eq!(
        data,
        json!({
            "bootstrap_options": {
                "architecture": "amd64", "variant": null, "extra_packages": [], "use_signed_by": true, "gpgv_command": null,
            },
            "bootstrap_repositories": [{
                "mirror": "http://deb.example/debian", "suite": "bookworm", "types": ["deb"], "components": null,
                "check_signature_with": "system", "keyring": null, "keyring_package": null,
            }],
            "customization_script": null,
            "task_configuration": null,
        })
    );
}

#[test]
fn takes_a_request_that_a_debusine_server_sent() {
    let data = json!({
        "bootstrap_options": {"variant": "minbase", "architecture": "amd64"},
        "bootstrap_repositories": [{"suite": "trixie", "mirror": "http://mirror.example/debian"}],
    });
    configure::<Mmdebstrap>(&data).unwrap();
}

#[test]
fn refuses_what_cannot_be_made_and_says_where() {
    let repository = "/bootstrap_repositories/0";
    let at = |key: &str| format!("{repository}/{key}");
    for (pointer, value, words) in [
        (
            "/bootstrap_repositories".to_owned(),
            json!([]),
            "/bootstrap_repositories",
        ),
        (
            "/bootstrap_options/variant".to_owned(),
            json!("tiny"),
            "/bootstrap_options/variant",
        ),
        (
            "/bootstrap_options/architecture".to_owned(),
            json!(""),
            "is no name of an architecture",
        ),
        (
            "/bootstrap_options/extra_packages".to_owned(),
            json!(["a b"]),
            "extra_packages/0",
        ),
        (
            at("mirror"),
            json!("http://a\nTrusted: yes"),
            "must be one word",
        ),
        (at("suite"), json!(""), "must be one word"),
        (at("components"), json!(["main x"]), "must be one word"),
        (at("types"), json!([]), "needs `deb` or `deb-src`"),
        (at("types"), json!(["rpm"]), "/types/0"),
        (
            at("check_signature_with"),
            json!("external"),
            "is needed where",
        ),
        (
            at("keyring"),
            json!({"url": "http://a/k.asc"}),
            "is used only where",
        ),
        (at("other"), json!(1), "other"),
    ] {
        let data = with_value(minimal(), &pointer, value);
        let faults = faults::<Mmdebstrap>(&data).join("; ");
        assert!(faults.contains(words), "{pointer}: {faults}");
    }
}

#[test]
fn needs_mmdebstrap_namespaces_and_the_architecture() {
    let worker = WorkerMetadata::offering::<Mmdebstrap>()
        .with("mmdebstrap:available", true)
        .with("executor:unshare:available", true)
        .with("system:architectures", json!(["amd64", "i386"]));
    let refusals = |architecture: &str, worker: WorkerMetadata| {
        let mut data = minimal();
        data["bootstrap_options"]["architecture"] = architecture.into();
        configure::<Mmdebstrap>(&data).unwrap().lacking(worker)
    };
    let none: [&str; 0] = [];
    assert_eq!(refusals("i386", worker.clone()), none);
    assert_eq!(refusals("arm64", worker.clone()), ["system:architectures"]);
    let lame = worker.with("executor:unshare:available", false);
    assert_eq!(refusals("amd64", lame), ["executor:unshare:available"]);
}

#[test]
fn calls_mmdebstrap_as_the_data_says() {
    let (words, sources) = called(&minimal());
    let (plain, last): (Vec<_>, Vec<_>) = words.iter().partition(|word| word.starts_with("--"));
    assert_eq!(
        plain[..4],
        [
            "--mode=unshare",
            "--format=tar",
            "--verbose",
            "--architectures=amd64"
        ]
    );
    assert_eq!(last[..3], ["", "system.tar.xz", ""]);
    assert!(last[3].ends_with("/host.sources"));
    assert_eq!(
        sources,
        "Types: deb\nURIs: http://deb.example/debian\nSuites: bookworm\nComponents: main\n"
    );

    let mut data = minimal();
    data["bootstrap_options"]["variant"] = json!("-");
    data["bootstrap_options"]["extra_packages"] = json!(["vim", "less"]);
    data["customization_script"] = json!("#!/bin/sh\n");
    data["bootstrap_repositories"] = json!([
        {"mirror": "http://a", "suite": "sid", "types": ["deb", "deb-src"], "components": ["main", "contrib"],
            "keyring_package": "a-keyring"},
        {"mirror": "file:/b", "suite": "./", "check_signature_with": "no-check"},
    ]);
    let (words, sources) = called(&data);
    assert!(words.contains(&"--variant=-".to_owned()));
    assert!(words.contains(&"--include=vim,less,a-keyring".to_owned()));
    let script = "--customize-hook=chroot \"$1\" /taskbay-customize || ";
    assert!(words.iter().any(|word| word.starts_with(script)));
    assert_eq!(
        sources,
        "Types: deb deb-src\nURIs: http://a\nSuites: sid\nComponents: main contrib\n\n\
         Types: deb\nURIs: file:/b\nSuites: ./\nTrusted: yes\n"
    );
}

#[test]
fn makes_a_system_of_real_packages() {
    if !is_full() || !has_tools(&["mmdebstrap", "newuidmap", "dpkg"]) {
        return;
    }
    let Some(mirror) = debian_mirror() else {
        return;
    };
    let data = json!({
        "bootstrap_options": {"architecture": native_architecture(), "variant": "apt", "extra_packages": ["hello"]},
        "bootstrap_repositories": [{"mirror": mirror, "suite": "bookworm"}],
        "customization_script": "#!/bin/sh\nset -e\nhello -g customized >/etc/greeting\n",
    });
    let execution = execute(&task(&data), Vec::new());
    assert!(execution.is_success());
    let made = &execution.server.uploads()[0];
    assert_eq!(made.category, "debian:system-tarball");
    let text = |key: &str| made.data[key].as_str().unwrap().to_owned();
    assert_eq!(
        [
            text("vendor"),
            text("codename"),
            text("variant"),
            text("filename"),
            text("mirror")
        ],
        ["debian", "bookworm", "apt", "system.tar.xz", &mirror].map(str::to_owned)
    );
    assert_eq!(made.data["components"], json!(["main"]));
    assert_eq!(
        (&made.data["with_dev"], &made.data["with_init"]),
        (&json!(true), &json!(false))
    );
    assert!(made.data["pkglist"]["hello"].is_string());
    let mut list = Command::new("tar");
    let listed = list
        .arg("-xOf")
        .arg(&made.files[0])
        .arg("./etc/greeting")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "customized\n");
    let left = fs::read_dir(execution.work.path().join("tmp")).unwrap();
    assert_eq!(
        left.count(),
        1,
        "what mmdebstrap unpacked is gone, and the sources are left"
    );
}

#[test]
fn a_mirror_that_is_away_is_an_error() {
    if !has_tools(&["mmdebstrap", "newuidmap", "dpkg"]) {
        return;
    }
    let mut data = minimal();
    data["bootstrap_options"]["architecture"] = native_architecture().into();
    data["bootstrap_repositories"][0]["mirror"] = json!("file:/nowhere");
    data["customization_script"] = json!("#!/bin/sh\n");
    let execution = execute(&task(&data), Vec::new());
    let message = execution.result.unwrap_err().message();
    assert!(
        message.starts_with("mmdebstrap could not make the system"),
        "{message}"
    );
}

#[test]
fn is_limited_since_a_system_is_unpacked() {
    let task = configure::<Mmdebstrap>(&minimal()).unwrap();
    assert_eq!(task.confinement(), Confinement::Limits);
}

#[test]
fn says_what_it_does_in_a_line() {
    let task = configure::<Mmdebstrap>(&minimal()).unwrap();
    assert_eq!(task.label().unwrap(), "bootstrap bookworm for amd64");
}
