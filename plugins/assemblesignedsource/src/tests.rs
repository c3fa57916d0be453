//! Configure and execute, in process, with real packages and real signatures.

mod template;

use crate::AssembleSignedSource;
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};
use taskbay_plugin_api::{Artifact, Task};
use taskbay_test::{
    Execution, FIRST_UPLOAD, WorkerMetadata, assert_unknown_keys_are_refused, configure,
    environment, faults, has_tools, names_in, with_keys,
};
use tempfile::TempDir;
use template::{Template, signed, signing_output};

fn data() -> Value {
    json!({"template": 1, "signed": [2]})
}

fn execute(artifacts: Vec<Artifact>) -> Execution {
    configure::<AssembleSignedSource>(&data())
        .unwrap()
        .execute(artifacts)
}

/// A directory for artifacts, where the tools are there that make them and that the task calls.
fn store() -> Option<TempDir> {
    let tools = ["dpkg-deb", "dpkg-source", "dpkg-genchanges", "openssl"];
    has_tools(&tools).then(|| TempDir::new().unwrap())
}

/// What of a source package dpkg-source unpacks.
fn unpacked(dsc: &Path, file: &str) -> Vec<u8> {
    let place = TempDir::new().unwrap();
    let tree = place.path().join("tree");
    let mut unpack = Command::new("dpkg-source");
    let output = unpack.arg("-x").arg(dsc).arg(&tree).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    fs::read(tree.join(file)).unwrap()
}

/// Gives the source package.
fn assert_assembled(run: &Execution) -> Artifact {
    assert!(run.is_success());
    let [source, upload] = &run.server.uploads()[..] else {
        panic!("not two uploads");
    };
    assert_eq!(source.category, "debian:source-package");
    assert_eq!(source.data["name"], "tiny-signed");
    assert_eq!(source.data["version"], "1.0+2");
    assert_eq!(upload.category, "debian:upload");
    let mut names = names_in(upload);
    names.sort();
    let wanted = [
        "tiny-signed_1.0+2.dsc",
        "tiny-signed_1.0+2.tar.xz",
        "tiny-signed_1.0+2_source.changes",
    ];
    assert_eq!(names, wanted);
    let fields = &upload.data["changes_fields"];
    assert_eq!(fields["Architecture"], "source");
    assert_eq!(fields["Distribution"], "unstable");
    // Built of the signatures and the template, and the upload adds to the source package.
    let (first, second) = (FIRST_UPLOAD, FIRST_UPLOAD + 1);
    let wanted = [(first, 2), (first, 1), (second, first), (second, first)];
    assert_eq!(run.server.relations(), wanted);
    source.clone()
}

#[test]
fn a_template_and_its_signatures_become_a_source_package_and_an_upload() {
    let Some(store) = store() else { return };
    let template = Template::default().build(store.path());
    let signature = signed(store.path(), "tiny/boot/vmlinuz");
    let run = execute(vec![template, signature.clone()]);
    let source = assert_assembled(&run);
    assert_eq!(
        unpacked(&source.files[0], "debian/signatures/tiny/boot/vmlinuz.sig"),
        fs::read(&signature.files[0]).unwrap()
    );
}

#[test]
fn runs_in_a_real_environment() {
    let (Some(store), Some(environment)) = (store(), environment()) else {
        return;
    };
    let template = Template::default().build(store.path());
    let signature = signed(store.path(), "tiny/boot/vmlinuz");
    let mut data = data();
    data["environment"] = json!(3);
    let artifacts = vec![template, signature, environment];
    let run = configure::<AssembleSignedSource>(&data)
        .unwrap()
        .execute(artifacts);
    // The files went with the environment; that they are what the `.dsc` says was looked at before.
    assert_assembled(&run);
}

#[test]
fn signatures_that_do_not_fit_are_a_fault_of_the_request() {
    let Some(store) = store() else { return };
    let fault = |signature: Artifact| {
        let template = Template::default().build(store.path());
        let run = execute(vec![template, signature]);
        assert!(run.server.uploads().is_empty());
        run.config_fault()
    };
    let result = |result: Value| {
        let data = json!({"purpose": "uefi", "fingerprint": "f", "results": [result]});
        fault(signing_output(store.path(), &data, &[]))
    };
    let openpgp = json!({"purpose": "openpgp", "fingerprint": "f", "results": []});
    for (found, words) in [
        (
            fault(signed(store.path(), "tiny/boot/other")),
            "/signed: has no signature of `tiny/boot/vmlinuz`",
        ),
        (
            result(json!({"file": "tiny/boot/vmlinuz", "error_message": "no key"})),
            "/signed/0: `tiny/boot/vmlinuz` was not signed: no key",
        ),
        (
            result(json!({"file": "tiny/boot/vmlinuz", "output_file": "gone.sig"})),
            "/signed/0: has no file `gone.sig`",
        ),
        (
            fault(signing_output(store.path(), &openpgp, &[])),
            "/signed/0: was signed with a key for `openpgp`",
        ),
        (
            fault(signing_output(store.path(), &json!({}), &[])),
            "/signed/0: its data is none of signatures: missing field `results`",
        ),
    ] {
        assert!(found.starts_with(words), "{found}");
    }
    let other = Template::default().sig_type("linux-module");
    let signature = signed(store.path(), "tiny/boot/vmlinuz");
    let run = execute(vec![other.build(store.path()), signature]);
    let wanted = "/template: asks for a signature of `boot/vmlinuz` of the type `linux-module`";
    assert!(run.config_fault().starts_with(wanted));
}

#[test]
fn a_template_that_could_do_more_is_refused() {
    let Some(store) = store() else { return };
    let refused = |template: Template| {
        let place = TempDir::new_in(store.path()).unwrap();
        let signature = signed(place.path(), "tiny/boot/vmlinuz");
        let run = execute(vec![template.build(place.path()), signature]);
        assert!(run.server.uploads().is_empty());
        run.error()
    };
    let with = |file: &str| Template::default().file(file, "x\n");
    for (template, words) in [
        (with("debian/source/options"), "has `debian/source/options`"),
        (
            with("debian/source/local-options"),
            "has `debian/source/local-options`",
        ),
        (with("debian/signatures/x"), "has `debian/signatures`"),
        (
            with("debian/source/format"),
            "of the format `x`, and must be `3.0 (native)`",
        ),
        (
            Template::default().link("debian/files", "/etc/passwd"),
            "has a link that leads out of it",
        ),
        (
            Template::default().link("debian/up", "../../x"),
            "has a link that leads out of it",
        ),
        // `find` goes into no folder that is a link.
        (
            Template::default()
                .link("real/NEWS", "/etc/passwd")
                .link("debian/folder", "../real"),
            "has a link that leads out of it",
        ),
        (
            Template::default()
                .link("real/NEWS", "/etc/passwd")
                .link("debian", "real"),
            "has a link that leads out of it",
        ),
    ] {
        let message = refused(template);
        assert!(message.contains(words), "{words}: {message}");
    }
    // One that stays inside is the template's own matter.
    let place = TempDir::new_in(store.path()).unwrap();
    let template = Template::default().link("debian/NEWS", "changelog");
    let signature = signed(place.path(), "tiny/boot/vmlinuz");
    assert!(execute(vec![template.build(place.path()), signature]).is_success());
}

#[test]
fn a_template_that_dpkg_cannot_pack_is_a_failure() {
    let Some(store) = store() else { return };
    let template = Template::default().file("debian/control", "nonsense\n");
    let signature = signed(store.path(), "tiny/boot/vmlinuz");
    let run = execute(vec![template.build(store.path()), signature]);
    assert!(!run.is_success());
    run.assert_logged("dpkg-source ended with");
    assert!(run.server.uploads().is_empty());
}

#[test]
fn takes_what_debusine_documents_and_backend_auto_alone() {
    let faults = |keys: Value| faults::<AssembleSignedSource>(&with_keys(data(), &keys));
    let none: [&str; 0] = [];
    let keys =
        json!({"environment": "debian/match:codename=trixie", "signed": [2, 3], "backend": "auto"});
    assert_eq!(faults(keys), none);
    assert_eq!(
        faults(json!({"backend": "qemu"})),
        ["/backend: must be `auto`"]
    );
    assert_eq!(
        faults(json!({"signed": []})),
        ["/signed: names no signatures"]
    );
    assert_ne!(faults(json!({"template": [1]})), none);
    assert_unknown_keys_are_refused::<AssembleSignedSource>(&data());
}

#[test]
fn needs_dpkgs_tools_on_the_worker() {
    let worker = WorkerMetadata::offering::<AssembleSignedSource>();
    let task = configure::<AssembleSignedSource>(&data()).unwrap();
    assert_eq!(task.lacking(worker), ["assemblesignedsource:available"]);
}

#[test]
fn says_what_it_does_in_a_line() {
    assert_eq!(
        configure::<AssembleSignedSource>(&data())
            .unwrap()
            .label()
            .unwrap(),
        "assemble the signed source package of artifact 1"
    );
}
