//! Configure, judge and execute, in process. What is called instead of debefivm-create, where that is not installed, is tried
//! from outside, in `tests/it/images.rs`.

use super::*;
use serde_json::json;
use taskbay_test::{
    WorkerMetadata, configure, debian_mirror, execute, faults, has_tools, is_full,
    native_architecture, with_value, words_of,
};

fn minimal() -> Value {
    json!({
        "bootstrap_options": {"architecture": "amd64"},
        "bootstrap_repositories": [{"mirror": "http://deb.example/debian", "suite": "trixie"}],
        "disk_image": {"format": "raw", "partitions": [{"size": 2, "filesystem": "ext4", "mountpoint": "/"}]},
    })
}

fn with(pointer: &str, value: Value) -> Value {
    with_value(minimal(), pointer, value)
}

fn task(data: &Value) -> SimpleSystemImageBuild {
    serde_json::from_value(data.clone()).unwrap()
}

/// The words that debefivm-create is called with.
fn called(data: &Value) -> Vec<String> {
    let work = tempfile::tempdir().unwrap();
    let context = Context::new(work.path(), taskbay_plugin_api::Abort::new());
    let task = task(data);
    let system = task.bootstrap().prepare(&context, work.path()).unwrap();
    let command = task.command(&system, work.path());
    // Root is given a namespace for mounts first.
    let words = words_of(&command).into_iter();
    let words = words.skip_while(|word| !word.starts_with("--architecture"));
    words.collect()
}

#[test]
fn defaults_are_filled_in() {
    let data = configure::<SimpleSystemImageBuild>(&minimal())
        .unwrap()
        .data();
    assert_eq!(
        data["disk_image"],
        json!({
            "format": "raw", "filename": "image", "kernel_package": null, "bootloader": null,
            "partitions": [{"size": 2, "filesystem": "ext4", "mountpoint": "/"}],
        })
    );
    assert_eq!(data["bootstrap_options"]["use_signed_by"], true);
}

#[test]
fn takes_all_that_debusine_documents() {
    let data = json!({
        "bootstrap_options": {
            "architecture": "arm64", "variant": "minbase", "extra_packages": ["python3", "dbus"],
        },
        "bootstrap_repositories": [
            {"mirror": "http://deb.example/debian", "suite": "trixie", "types": ["deb", "deb-src"], "components": ["main"],
             "check_signature_with": "external", "keyring": {"url": "http://deb.example/k.asc", "install": true}},
            {"mirror": "http://deb.example/debian", "suite": "trixie-updates", "keyring_package": "a-keyring"},
        ],
        "customization_script": "#!/bin/sh\n",
        "disk_image": {
            "format": "qcow2", "filename": "debian-trixie", "kernel_package": "linux-image-generic",
            "bootloader": "systemd-boot",
            "partitions": [{"size": 10, "filesystem": "ext4", "mountpoint": "/"}],
        },
        "task_configuration": null,
    });
    configure::<SimpleSystemImageBuild>(&data).unwrap();
}

#[test]
fn refuses_what_cannot_be_made_and_says_where() {
    let partition = |key: &str| format!("/disk_image/partitions/0/{key}");
    let two = json!([
        {"size": 1, "filesystem": "ext4", "mountpoint": "/"},
        {"size": 1, "filesystem": "swap"},
    ]);
    for (pointer, value, words) in [
        ("/disk_image/format", json!("vmdk"), "/disk_image/format"),
        (
            "/disk_image/partitions",
            json!([]),
            "/disk_image/partitions",
        ),
        (
            "/disk_image/partitions",
            two,
            "/partitions/1: is one too many",
        ),
        ("/disk_image/filename", json!("../x"), "is no plain name"),
        ("/disk_image/filename", json!("-x"), "is no plain name"),
        ("/disk_image/filename", json!(""), "is no plain name"),
        (
            "/disk_image/kernel_package",
            json!("-oDir=x"),
            "is no name of a",
        ),
        ("/disk_image/kernel_package", json!("-a"), "is no name of a"),
        (
            "/disk_image/kernel_package",
            json!("a,b"),
            "is no name of a",
        ),
        (
            "/disk_image/bootloader",
            json!("grub"),
            "must be `systemd-boot`",
        ),
        ("/disk_image/other", json!(1), "other"),
        (&partition("size"), json!(0), "/partitions/0/size"),
        (&partition("filesystem"), json!("btrfs"), "must be `ext4`"),
        (&partition("mountpoint"), json!("/boot"), "must be `/`"),
        (
            "/bootstrap_options/architecture",
            json!("s390x"),
            "must be one of amd64",
        ),
        ("/bootstrap_options/variant", json!("tiny"), "/variant"),
        (
            "/bootstrap_repositories",
            json!([]),
            "/bootstrap_repositories",
        ),
    ] {
        let faults = faults::<SimpleSystemImageBuild>(&with(pointer, value)).join("; ");
        assert!(faults.contains(words), "{pointer}: {faults}");
    }
    let mut without = minimal();
    let partition = &mut without["disk_image"]["partitions"][0];
    partition.as_object_mut().unwrap().remove("mountpoint");
    configure::<SimpleSystemImageBuild>(&without).unwrap();
}

#[test]
fn a_worker_without_debefivm_create_is_refused_with_that_reason() {
    // As bookworm's is: Debusine calls it fit, since it has mmdebstrap.
    let worker = WorkerMetadata::offering::<SimpleSystemImageBuild>()
        .with("mmdebstrap:available", true)
        .with("executor:unshare:available", true)
        .with("system:architectures", json!(["amd64"]))
        .with("simplesystemimagebuild:available", false)
        .with("simplesystemimagebuild:qcow2", true);
    let verdict = configure::<SimpleSystemImageBuild>(&minimal())
        .unwrap()
        .verdict(&worker.build());
    let [reason] = &verdict.reasons[..] else {
        panic!("{verdict:?}");
    };
    assert_eq!(
        reason.key.as_deref(),
        Some("simplesystemimagebuild:available")
    );
    assert!(reason.message.contains("debefivm-create"), "{reason:?}");
}

#[test]
fn needs_what_writes_the_format_that_is_asked_for() {
    let worker = WorkerMetadata::offering::<SimpleSystemImageBuild>()
        .with("executor:unshare:available", true)
        .with("system:architectures", json!(["amd64"]))
        .with("simplesystemimagebuild:available", true)
        .with("simplesystemimagebuild:qcow2", false);
    let refusals = |data: &Value, worker: WorkerMetadata| {
        configure::<SimpleSystemImageBuild>(data)
            .unwrap()
            .lacking(worker)
    };
    let none: [&str; 0] = [];
    assert_eq!(refusals(&minimal(), worker.clone()), none);
    let qcow2 = with("/disk_image/format", json!("qcow2"));
    assert_eq!(
        refusals(&qcow2, worker.clone()),
        ["simplesystemimagebuild:qcow2"]
    );
    let other = with("/bootstrap_options/architecture", json!("arm64"));
    assert_eq!(refusals(&other, worker.clone()), ["system:architectures"]);
    let lame = worker.with("executor:unshare:available", false);
    assert_eq!(refusals(&minimal(), lame), ["executor:unshare:available"]);
}

#[test]
fn says_of_a_worker_what_is_there() {
    let found = SimpleSystemImageBuild::analyze_worker(&Metadata::default()).unwrap();
    assert_eq!(
        found.value("simplesystemimagebuild:available"),
        Some(&json!(is_available("debefivm-create")))
    );
}

#[test]
fn calls_debefivm_create_as_the_data_says() {
    let words = called(&minimal());
    assert_eq!(
        words[..6],
        [
            "--architecture=amd64",
            "--release=",
            "--output=root.img",
            "--rootsize=2G",
            "--",
            "--verbose"
        ]
    );
    assert!(words.last().unwrap().ends_with("/host.sources"));

    let mut data = with(
        "/disk_image/kernel_package",
        json!("linux-image-cloud-amd64"),
    );
    data["bootstrap_options"]["variant"] = json!("minbase");
    data["bootstrap_options"]["extra_packages"] = json!(["vim"]);
    data["customization_script"] = json!("#!/bin/sh\n");
    let words = called(&data);
    let own = words.iter().position(|word| word == "--").unwrap();
    for word in [
        "--include=linux-image-cloud-amd64",
        "--variant=minbase",
        "--include=vim",
        "--customize-hook=chroot \"$1\" /taskbay-customize || ",
        "--customize-hook=download /etc/os-release os-release",
    ] {
        let at = words.iter().position(|each| each.starts_with(word));
        assert!(at.is_some_and(|at| at > own), "{word}: {words:?}");
    }
}

/// Takes ten minutes of one core, and a kernel from the mirror.
#[test]
fn makes_a_disk_of_real_packages() {
    if !is_full() || !has_tools(&["mmdebstrap", "newuidmap", "dpkg", "tar"]) {
        return;
    }
    // Bookworm has it in its backports alone, so that it is missing is no fault.
    if !is_available("debefivm-create") {
        return;
    }
    let Some(mirror) = debian_mirror() else {
        return;
    };
    let mut data = minimal();
    data["bootstrap_options"]["architecture"] = native_architecture().into();
    data["bootstrap_repositories"] = json!([{"mirror": mirror, "suite": "bookworm"}]);
    data["customization_script"] = json!("#!/bin/sh\nset -e\necho hello >/etc/greeting\n");
    let execution = execute(&task(&data), Vec::new());
    assert!(execution.is_success());
    let made = &execution.server.uploads()[0];
    assert_eq!(made.category, "debian:system-image");
    for (key, value) in [
        ("filename", json!("image.tar.xz")),
        ("vendor", json!("debian")),
        ("codename", json!("bookworm")),
        ("image_format", json!("raw")),
        ("filesystem", json!("ext4")),
        ("size", json!(2_u64 << 30)),
        ("boot_mechanism", json!("efi")),
        ("components", json!(["main"])),
        ("with_dev", json!(false)),
        ("with_init", json!(true)),
    ] {
        assert_eq!(made.data[key], value, "{key}");
    }
    assert!(made.data["pkglist"]["systemd-sysv"].is_string());
    // The disk has its two partitions, and the second one the system.
    let unpack = Command::new("tar")
        .args(["--extract", "--sparse", "--file"])
        .arg(&made.files[0])
        .current_dir(execution.work.path())
        .status();
    assert!(unpack.unwrap().success());
    let disk = execution.work.path().join("root.img");
    let root = disk.display().to_string() + "?offset=133169152";
    let read = Command::new("/sbin/debugfs")
        .args(["-R", "cat /etc/greeting", &root])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&read.stdout), "hello\n", "{read:?}");
}

#[test]
fn is_limited_since_a_system_is_unpacked() {
    let task = configure::<SimpleSystemImageBuild>(&minimal()).unwrap();
    assert_eq!(task.confinement(), Confinement::Limits);
}

#[test]
fn says_what_it_does_in_a_line() {
    let task = configure::<SimpleSystemImageBuild>(&minimal()).unwrap();
    assert_eq!(
        task.label().unwrap(),
        "make a disk image of trixie for amd64"
    );
}
