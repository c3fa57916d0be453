//! Configure and execute, in process.

mod execution;

use crate::Mergeuploads;
use serde_json::{Value, json};
use std::{fs, path::Path};
use taskbay_debian::artifact_of_file;
use taskbay_plugin_api::{Artifact, Confinement, Task};
use taskbay_test::{
    Execution, FIRST_UPLOAD, WorkerMetadata, artifact, configure, empty_file, faults, text_file,
};
use tempfile::TempDir;

/// Merges all of these artifacts, in their order.
fn merge(artifacts: Vec<Artifact>) -> Execution {
    let numbers: Vec<_> = (1..=artifacts.len()).collect();
    let task = configure::<Mergeuploads>(&json!({"input": {"uploads": numbers}})).unwrap();
    task.execute(artifacts)
}

/// An upload of one empty file, by what its `.changes` file has besides the checksums.
fn upload(store: &Path, name: &str, fields: &str) -> Artifact {
    let directory = store.join(name);
    fs::create_dir(&directory).unwrap();
    let file = empty_file(&directory, &format!("{name}.deb"));
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let text = format!(
        "{fields}Checksums-Sha256:\n {empty} 0 {name}.deb\nFiles:\n d41d8cd98f00b204e9800998ecf8427e 0 misc optional \
         {name}.deb\n"
    );
    let changes = text_file(&directory, &format!("{name}.changes"), &text);
    artifact("debian:upload", vec![changes, file])
}

const FIELDS: &str = "Format: 1.8\nSource: tiny\nVersion: 1.0\nDescription:\n tiny - greets\n";

#[test]
fn names_one_upload_at_least() {
    assert_eq!(
        faults::<Mergeuploads>(&json!({"input": {"uploads": []}})),
        ["/input/uploads: names no upload"]
    );
    for data in [
        json!({}),
        json!({"input": {}}),
        json!({"input": {"uploads": [1], "artifacts": []}}),
        json!({"input": {"uploads": [1]}, "environment": 1}),
    ] {
        assert!(configure::<Mergeuploads>(&data).is_err(), "{data}");
    }
    let task =
        configure::<Mergeuploads>(&json!({"input": {"uploads": [1, "./b.changes"]}})).unwrap();
    let wanted = json!({"input": {"uploads": [1, "./b.changes"]}, "task_configuration": null});
    assert_eq!(task.data(), wanted);
}

#[test]
fn takes_all_that_a_query_finds() {
    let query = json!({"collection": "internal@collections", "category": "debian:upload"});
    let task = configure::<Mergeuploads>(&json!({"input": {"uploads": query}})).unwrap();
    assert_eq!(task.data()["input"]["uploads"], query);
    assert_eq!(
        task.label().unwrap(),
        "merge what is in internal@collections"
    );
    let store = tempfile::tempdir().unwrap();
    let uploads = || {
        let log = artifact("debian:package-build-log", Vec::new());
        vec![log, upload(store.path(), "tiny_1.0", FIELDS)]
    };
    let merged = task.execute(uploads());
    assert!(merged.is_success());
    // The log of a build is none of what is merged.
    assert_eq!(merged.server.relations(), [(FIRST_UPLOAD, 2); 2]);

    let none = task.execute(Vec::new()).config_fault();
    assert_eq!(
        none,
        "/input/uploads: finds no artifact; name one, or ask for less"
    );
    let all = json!({"input": {"uploads": [2, {"collection": "internal@collections"}]}});
    fs::remove_dir_all(store.path().join("tiny_1.0")).unwrap();
    let of_no_category = configure::<Mergeuploads>(&all).unwrap().execute(uploads());
    let fault = of_no_category.config_fault();
    assert!(
        fault.starts_with("/input/uploads/1: `1` is an artifact of category"),
        "{fault}"
    );
}

#[test]
fn a_query_says_what_it_asks() {
    for (query, place) in [
        (json!({"category": "debian:upload"}), "/input/uploads: "),
        (
            json!([{"collection": 1, "categories": "x"}]),
            "/input/uploads/0: ",
        ),
        (
            json!([{"collection": 1, "name__like": "x"}]),
            "/input/uploads/0: ",
        ),
        (
            json!({"collection": 1, "child_type": "collection"}),
            "/input/uploads/child_type: ",
        ),
        (json!("./a.changes"), "/input/uploads: "),
        (
            json!([1, {"collection": {}}]),
            "/input/uploads/1/collection: {} is not of type",
        ),
    ] {
        let faults = faults::<Mergeuploads>(&json!({"input": {"uploads": query}}));
        assert!(faults[0].starts_with(place), "{faults:?}");
    }
    for query in [
        json!({"collection": 1, "name__in": ["a", "b"], "data__package_type": "deb"}),
        json!({"collection": "a@b", "data__name__contains": "x", "lookup__same_work_request": "c"}),
    ] {
        configure::<Mergeuploads>(&json!({"input": {"uploads": query}})).unwrap();
    }
}

#[test]
fn every_worker_can() {
    let task = configure::<Mergeuploads>(&json!({"input": {"uploads": [1]}})).unwrap();
    let worker = WorkerMetadata::offering::<Mergeuploads>();
    assert!(task.verdict(&worker.build()).can_run());
}

/// The fault where the second upload has other fields than the first.
fn fault(fields: &str) -> String {
    let store = TempDir::new().unwrap();
    let artifacts = vec![
        upload(store.path(), "a", FIELDS),
        upload(store.path(), "b", fields),
    ];
    merge(artifacts).config_fault()
}

#[test]
fn what_does_not_fit_together_is_refused_where_it_stands() {
    assert_eq!(
        fault(&FIELDS.replace("1.0", "1.1")),
        "/input/uploads/1: has the Version `1.1`, and the first upload has `1.0`"
    );
    assert_eq!(
        fault(&FIELDS.replace("tiny\n", "little\n")),
        "/input/uploads/1: has the Source `little`, and the first upload has `tiny`"
    );
    assert_eq!(
        fault(&FIELDS.replace("1.8", "1.7")),
        "/input/uploads/1: is of format `1.7`, and only 1.8 can be merged"
    );
    assert_eq!(
        fault(&FIELDS.replace("greets", "shouts")),
        "/input/uploads/1: says in `Description` `tiny - shouts`, and an upload before it says `tiny - greets`"
    );
    let missing = fault(&FIELDS.replace("Version", "Versions"));
    assert!(missing.contains("/input/uploads/1: "), "{missing}");
    assert!(missing.contains("no field `Version`"), "{missing}");
}

#[test]
fn one_file_has_one_checksum() {
    let store = TempDir::new().unwrap();
    let first = upload(store.path(), "a", FIELDS);
    let with = |name: &str, old: &str, new: &str| {
        let other = store.path().join(name);
        fs::create_dir(&other).unwrap();
        let files = first.files.iter().map(|file| {
            let copy = other.join(file.file_name().unwrap());
            fs::copy(file, &copy).unwrap();
            copy
        });
        let files: Vec<_> = files.collect();
        let text = fs::read_to_string(&files[0]).unwrap();
        assert!(text.contains(old));
        fs::write(&files[0], text.replace(old, new)).unwrap();
        let second = artifact("debian:upload", files);
        merge(vec![first.clone(), second]).config_fault()
    };
    // Of the MD5 nobody but the other upload says that it is wrong.
    let fault = with("md5", "d41d8", "e41d8");
    assert!(
        fault.starts_with("/input/uploads/1: says in `Files` `e41d8"),
        "{fault}"
    );
    let fault = with("sha256", "e3b0c", "f3b0c");
    assert!(fault.contains("it was replaced"), "{fault}");
    let fault = with("outside", " a.deb", " ../../a.deb");
    assert!(fault.contains("names `../../a.deb`"), "{fault}");
}

#[test]
fn what_is_no_upload_is_refused() {
    let store = TempDir::new().unwrap();
    let deb = empty_file(store.path(), "a.deb");
    let fault = |artifact| merge(vec![artifact]).config_fault();
    assert!(
        fault(artifact("debian:binary-package", vec![deb.clone()]))
            .starts_with("/input/uploads/0: `1` is an artifact of category")
    );
    assert_eq!(
        fault(artifact("debian:upload", vec![deb])),
        "/input/uploads/0: has 0 `.changes` files, and needs one"
    );
    let named = |name: &str, fields: &str| fault(upload(store.path(), name, fields));
    for (name, source) in [("b", "../../tiny"), ("c", "."), ("d", "ti\u{301}ny")] {
        let said = named(
            name,
            &FIELDS.replace("Source: tiny", &format!("Source: {source}")),
        );
        assert!(said.starts_with("/input/uploads/0: "), "{said}");
        assert!(
            said.contains("no name and version that can name a file"),
            "{said}"
        );
    }
}

#[test]
fn keeps_of_the_first_what_can_be_said_once_and_tells_of_others() {
    let store = TempDir::new().unwrap();
    let fields = |distribution: &str| format!("{FIELDS}Distribution: {distribution}\n");
    let run = merge(vec![
        upload(store.path(), "a", &fields("sid")),
        upload(store.path(), "b", &fields("experimental")),
    ]);
    assert!(run.is_success());
    run.assert_logged("upload 2 has another `Distribution`: that of the first one is kept");
    assert!(!run.has_logged("another `Description`"));
    let changes = &run.upload().data["changes_fields"];
    assert_eq!(changes["Distribution"], "sid");
}

#[test]
fn a_checksum_that_an_upload_lacks_is_dropped_and_an_epoch_names_no_file() {
    let store = TempDir::new().unwrap();
    let epoch = FIELDS.replace("1.0", "2:1.0");
    let sha1 =
        format!("{epoch}Checksums-Sha1:\n da39a3ee5e6b4b0d3255bfef95601890afd80709 0 a.deb\n");
    let run = merge(vec![
        upload(store.path(), "a", &sha1),
        upload(store.path(), "b", &epoch),
    ]);
    assert!(run.is_success());
    let upload = run.upload();
    assert!(upload.files[0].ends_with("tiny_1.0_multi.changes"));
    assert_eq!(upload.data["changes_fields"]["Checksums-Sha1"], Value::Null);
    let files = &upload.data["changes_fields"]["Files"];
    assert_eq!(files.as_array().unwrap().len(), 2, "{files}");
    assert_eq!(upload.files.len(), 3);
}

#[test]
fn one_upload_stays_what_it_is() {
    let store = TempDir::new().unwrap();
    let fields = format!("{FIELDS}Architecture: amd64\nBinary: tiny\nX-Own:\n .\n  deep\n");
    let mut lone = upload(store.path(), "a", &fields);
    lone.data = artifact_of_file(&lone.files[0]).unwrap().data;
    let run = merge(vec![lone.clone()]);
    assert!(run.is_success());
    let merged = run.upload();
    assert_eq!(merged.data, lone.data);
    let text = fs::read_to_string(&merged.files[0]).unwrap();
    assert!(
        text.starts_with(
            "Format: 1.8\nSource: tiny\nBinary: tiny\nArchitecture: amd64\nVersion: 1.0\n"
        ),
        "{text}"
    );
    assert!(text.contains("\nX-Own:\n .\n  deep\n"), "{text}");
}

#[test]
fn needs_nothing_but_its_work_directory() {
    let task = configure::<Mergeuploads>(&json!({"input": {"uploads": [1, 2]}})).unwrap();
    assert_eq!(task.confinement(), Confinement::Strict);
}

#[test]
fn says_what_it_does_in_a_line() {
    let task =
        configure::<Mergeuploads>(&json!({"input": {"uploads": ["./a.changes", 2]}})).unwrap();
    assert_eq!(task.label().unwrap(), "merge a.changes and 1 more");
}
