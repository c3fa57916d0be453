//! A disk, made by a stand-in for debefivm-create, which Debian 12 has in its backports alone.

use crate::farm::{Farm, Ran};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};
use taskbay_test::{has_tools, native_architecture, skip};

/// What a real one leaves where it starts: the disk, and what the hooks bring out of the system.
const MAKES_A_DISK: &str = r#"
for word; do
    case $word in --output=*) truncate --size=1M "${word#--output=}" ;; esac
done
printf 'ID=debian\nVERSION_CODENAME=trixie\n' >os-release
printf 'Package: dash\nStatus: install ok installed\nVersion: 0.5\n' >dpkg-status
echo yes >init
"#;

/// A farm whose search path starts with a program of that name, which notes what it is called with.
fn farm_with(script: &str) -> Farm {
    let farm = Farm::with(&["simplesystemimagebuild"]);
    let bin = farm.path("bin");
    fs::create_dir(&bin).unwrap();
    let program = bin.join("debefivm-create");
    let noted = farm.path("called");
    let noted = noted.display();
    let text = format!("#!/bin/sh\nset -eu\nprintf '%s\\n' \"$@\" >'{noted}'\n{script}");
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    farm
}

fn run(farm: &Farm, arguments: &[&str]) -> Ran {
    let mut command = farm.command(arguments);
    let bin = farm.path("bin");
    command.env(
        "PATH",
        format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display()),
    );
    Ran::of(&mut command)
}

fn data(format: &str) -> String {
    let data = json!({
        "bootstrap_options": {"architecture": native_architecture()},
        "bootstrap_repositories": [{"mirror": "http://mirror.example.org/debian", "suite": "trixie"}],
        "disk_image": {
            "format": format, "partitions": [{"size": 2, "filesystem": "ext4", "mountpoint": "/"}],
        },
    });
    data.to_string()
}

/// Whether this machine can make systems at all.
fn can_make_systems(farm: &Farm) -> bool {
    let here = run(farm, &["analyze", "--json"]).succeeds().json();
    assert_eq!(here["simplesystemimagebuild:available"], true);
    if here["executor:unshare:available"] != true {
        skip(&here["executor:unshare:reason"]);
        return false;
    }
    has_tools(&["tar", "xz"])
}

#[test]
fn a_disk_is_made_and_described() {
    let farm = farm_with(MAKES_A_DISK);
    if !can_make_systems(&farm) {
        return;
    }
    let ran = run(
        &farm,
        &["run", "simplesystemimagebuild", &data("raw"), "--json"],
    );
    let json = ran.succeeds().json();
    let made = &json["artifacts"][0];
    assert_eq!(made["category"], "debian:system-image");
    let wanted = json!({
        "filename": "image.tar.xz", "vendor": "debian", "codename": "trixie", "variant": null,
        "components": ["main"], "mirror": "http://mirror.example.org/debian", "pkglist": {"dash": "0.5"},
        "architecture": native_architecture(), "with_dev": false, "with_init": true,
        "image_format": "raw", "filesystem": "ext4", "size": 2_u64 << 30, "boot_mechanism": "efi",
    });
    assert_eq!(made["data"], wanted);
    let called = fs::read_to_string(farm.path("called")).unwrap();
    assert!(called.contains("\n--rootsize=2G\n--\n"), "{called}");
    assert!(called.trim_end().ends_with("/host.sources"), "{called}");
    let image = farm
        .here()
        .join("simplesystemimagebuild-output/image.tar.xz");
    let listed = Command::new("tar").arg("-tvf").arg(image).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed.contains(" 1048576 ") && listed.ends_with(" root.img\n"),
        "{listed}"
    );
}

#[test]
fn a_disk_is_written_as_qemu_reads_it() {
    let farm = farm_with(MAKES_A_DISK);
    if !can_make_systems(&farm) || !Path::new("/usr/bin/qemu-img").exists() {
        return;
    }
    run(&farm, &["run", "simplesystemimagebuild", &data("qcow2")]).succeeds();
    let image = farm
        .here()
        .join("simplesystemimagebuild-output/image.qcow2");
    let mut ask = Command::new("qemu-img");
    let told = ask
        .args(["info", "--output=json"])
        .arg(image)
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(
        (&told["format"], &told["virtual-size"]),
        (&json!("qcow2"), &json!(1 << 20))
    );
}

#[test]
fn a_disk_that_cannot_be_made_is_an_error() {
    let farm = farm_with("echo 'no such suite' >&2; exit 1\n");
    if !can_make_systems(&farm) {
        return;
    }
    let ran = run(
        &farm,
        &["run", "simplesystemimagebuild", &data("raw"), "--json"],
    );
    assert_eq!(
        (ran.code, &ran.json()["result"]),
        (Some(1), &json!("error"))
    );
    assert!(ran.stderr.contains("no such suite"), "{}", ran.stderr);
    assert_eq!(ran.json()["artifacts"], json!([]));
}

/// As most workers with Debian 12, which have mmdebstrap.
#[test]
fn a_machine_without_debefivm_create_does_not_offer_it() {
    if Path::new("/usr/bin/debefivm-create").exists() {
        return;
    }
    let farm = Farm::with(&["simplesystemimagebuild"]);
    let here = farm.run(&["analyze", "--json"]).succeeds().json();
    assert_eq!(here["simplesystemimagebuild:available"], false);
    let refused = farm.run(&["run", "simplesystemimagebuild", &data("raw"), "--json"]);
    assert_eq!(refused.code, Some(1));
    let error = &refused.json()["errors"][0];
    assert_eq!(error["code"], "unsuitable");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("debefivm-create, of the package debvm"),
        "{message}"
    );
}
