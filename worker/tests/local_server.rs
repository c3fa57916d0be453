//! The server of a local run, with real packages in directories of their own.

#![expect(
    clippy::unwrap_used,
    reason = "Clippy does not see that all of this is test code"
)]

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};
use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
};
use taskbay_core::{Artifact, ArtifactId, Lookup, Relation, RelationKind, Server, ServerError};
use taskbay_worker::LocalServer;
use tempfile::TempDir;

/// A directory with inputs, a work directory, and a place for outputs that does not exist yet.
struct Place {
    directory: TempDir,
    server: LocalServer,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("work")).unwrap();
        let server = LocalServer::new(directory.path().into(), directory.path().join("output"));
        let server = server.with_work_directory(directory.path().join("work"));
        Self { directory, server }
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn server(&self) -> &dyn Server {
        &self.server
    }

    fn resolve(&self, text: &str) -> Result<(ArtifactId, Artifact), ServerError> {
        self.server().resolve(&Lookup::Text(text.into()))
    }

    fn refused(&self, text: &str) -> String {
        self.resolve(text).unwrap_err().to_string()
    }

    fn upload(&self, category: &str, files: &[&Path]) -> Result<ArtifactId, ServerError> {
        let files = files.iter().map(|file| file.to_path_buf()).collect();
        self.server()
            .upload(Artifact::new(category, json!({"a": 1}), files))
    }

    fn outputs(&self) -> Vec<Vec<PathBuf>> {
        let artifacts = self.server.artifacts();
        artifacts
            .into_iter()
            .map(|stored| stored.artifact.files)
            .collect()
    }

    /// Builds the source package `hello` 1.0-1 here.
    fn source_package(&self) {
        let tree = self.path("hello-1.0/debian");
        fs::create_dir_all(tree.join("source")).unwrap();
        fs::write(tree.join("source/format"), "3.0 (quilt)\n").unwrap();
        let person = "Some One <one@example.org>";
        fs::write(
            tree.join("control"),
            format!(
                "Source: hello\nMaintainer: {person}\nSection: misc\nPriority: optional\nStandards-Version: 4.7.0\n\n\
                 Package: hello\nArchitecture: all\nDescription: greets\n"
            ),
        )
        .unwrap();
        fs::write(
            tree.join("changelog"),
            format!(
                "hello (1.0-1) unstable; urgency=low\n\n  * First.\n\n -- {person}  Mon, 01 Jan 2024 00:00:00 +0000\n"
            ),
        )
        .unwrap();
        self.run(
            "tar",
            &[
                "czf",
                "hello_1.0.orig.tar.gz",
                "--exclude=debian",
                "hello-1.0",
            ],
        );
        self.run("dpkg-source", &["-b", "hello-1.0"]);
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.directory.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{program}: {output:?}");
    }
}

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn a_source_package_is_its_dsc_and_the_files_that_it_names() {
    let place = Place::new();
    place.source_package();
    let (id, artifact) = place.resolve("./hello_1.0-1.dsc").unwrap();
    assert_eq!(
        (id, artifact.category.as_str()),
        (1, "debian:source-package")
    );
    assert_eq!(artifact.data["name"], "hello");
    assert_eq!(artifact.data["version"], "1.0-1");
    assert_eq!(artifact.data["type"], "dpkg");
    assert_eq!(artifact.data["dsc_fields"]["Format"], "3.0 (quilt)");
    let names = [
        "hello_1.0-1.dsc",
        "hello_1.0.orig.tar.gz",
        "hello_1.0-1.debian.tar.xz",
    ];
    assert_eq!(artifact.files, names.map(|name| place.path(name)));

    let work = place.path("work");
    let (same, fetched) = place.server().fetch(&Lookup::Id(id), &work).unwrap();
    assert_eq!((same, &fetched.data), (id, &artifact.data));
    assert_eq!(fetched.files, names.map(|name| work.join(name)));
    place.run("dpkg-source", &["-x", "work/hello_1.0-1.dsc", "work/tree"]);

    // The same file by other names has the same number.
    let absolute = place.path("hello_1.0-1.dsc");
    let absolute = absolute.to_str().unwrap();
    for text in [
        absolute,
        &format!("file://{absolute}"),
        "file:hello_1.0-1.dsc",
        "././hello_1.0-1.dsc",
    ] {
        assert_eq!(place.resolve(text).unwrap().0, id, "{text}");
    }
}

#[test]
fn a_missing_or_truncated_member_is_named_with_who_names_it() {
    let place = Place::new();
    place.source_package();
    let orig = place.path("hello_1.0.orig.tar.gz");
    let size = fs::metadata(&orig).unwrap().len();
    fs::File::options()
        .write(true)
        .open(&orig)
        .unwrap()
        .set_len(size - 1)
        .unwrap();
    let dsc = place.path("hello_1.0-1.dsc");
    assert_eq!(
        place.refused("./hello_1.0-1.dsc"),
        format!(
            "{} has {} bytes, and {} says {size}; it was cut short or replaced: fetch it anew",
            orig.display(),
            size - 1,
            dsc.display()
        )
    );
    fs::remove_file(&orig).unwrap();
    assert_eq!(
        place.refused("./hello_1.0-1.dsc"),
        format!(
            "{} is missing, and {} names it; put it there",
            orig.display(),
            dsc.display()
        )
    );
    fifo(&orig);
    assert!(
        place
            .refused("./hello_1.0-1.dsc")
            .contains("is a device, FIFO or socket")
    );
    // A link to the tarball elsewhere is how many people keep them.
    fs::remove_file(&orig).unwrap();
    symlink("gone", &orig).unwrap();
    assert!(place.refused("./hello_1.0-1.dsc").contains("is missing"));
}

#[test]
fn an_upload_is_its_changes_and_the_files_that_it_names() {
    let place = Place::new();
    place.write("x_1_all.deb", "12345");
    place.write(
        "x_1_all.changes",
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nFormat: 1.8\nSource: x\nArchitecture: all\n\
         Checksums-Sha256:\n aa 5 x_1_all.deb\nFiles:\n bb 5 misc optional x_1_all.deb\n\
         -----BEGIN PGP SIGNATURE-----\n\nxx\n-----END PGP SIGNATURE-----\n",
    );
    let (_, artifact) = place.resolve("./x_1_all.changes").unwrap();
    assert_eq!(artifact.category, "debian:upload");
    assert_eq!(artifact.data["type"], "dpkg");
    assert_eq!(
        artifact.data["changes_fields"]["Files"][0]["section"],
        "misc"
    );
    assert_eq!(
        artifact.files,
        ["x_1_all.changes", "x_1_all.deb"].map(|name| place.path(name))
    );
    place.write(
        "bad.changes",
        "Files:\n bb 5 misc optional ../x_1_all.deb\n",
    );
    assert!(place.refused("./bad.changes").contains("`../x_1_all.deb`"));
    place.write("bad.dsc", "Files:\n bb 5 x_1_all.deb\nVersion: 1\n");
    assert!(
        place
            .refused("./bad.dsc")
            .contains("it has no field `Source`")
    );
}

#[test]
fn single_files_are_artifacts_by_their_extension() {
    let place = Place::new();
    for (name, category) in [
        ("x.deb", "debian:binary-package"),
        ("x.udeb", "debian:binary-package"),
        ("x.build", "debian:package-build-log"),
    ] {
        let path = place.write(name, "x");
        let (_, artifact) = place.resolve(&format!("./{name}")).unwrap();
        assert_eq!(artifact, Artifact::new(category, json!({}), vec![path]));
    }
    place.write("x.txt", "x");
    for text in ["./x.txt", "./x", "file:", "/", "./x.deb/.."] {
        let message = place.refused(text);
        assert!(
            message.ends_with("name a .dsc, .changes, .deb, .udeb or .build file"),
            "{message}"
        );
    }
    fs::create_dir(place.path("d.deb")).unwrap();
    assert!(place.refused("./d.deb").contains("is a directory"));
    fifo(&place.path("f.dsc"));
    assert!(
        place
            .refused("./f.dsc")
            .contains("is a device, FIFO or socket")
    );
    assert!(place.refused("./gone.deb").starts_with("cannot read"));
    assert!(place.refused("./a\0b.deb").starts_with("cannot read"));
}

#[test]
fn other_lookups_are_refused_with_what_is_understood() {
    let place = Place::new();
    place.write("x.deb", "x");
    assert!(
        place
            .refused("debian/match:codename=sid")
            .contains("since a local run has no store")
    );
    assert!(place.refused("x.deb").ends_with(": write `./x.deb`"));
    let error = place
        .server()
        .resolve(&Lookup::Id(7))
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("there is no artifact 7 in this run: a local run has no store"));
}

#[test]
fn outputs_lie_in_the_output_directory_and_are_known_by_number() {
    let place = Place::new();
    let log = place.write("work/x.build", "log");
    let other = place.write("work/other", "other");
    let id = place
        .upload("debian:package-build-log", &[&log, Path::new("other")])
        .unwrap();
    assert_eq!(id, 1);
    let [stored] = place.server.artifacts().try_into().unwrap();
    assert_eq!(stored.artifact.data, json!({"a": 1}));
    assert_eq!(
        stored.artifact.files,
        ["output/x.build", "output/other"].map(|name| place.path(name))
    );
    assert_eq!(fs::read(&stored.artifact.files[0]).unwrap(), b"log");
    // What was stored stays, whatever the task does to its own file.
    fs::write(&other, "changed").unwrap();
    fs::create_dir(place.path("work/in")).unwrap();
    let (_, fetched) = place
        .server()
        .fetch(&Lookup::Id(1), &place.path("work/in"))
        .unwrap();
    assert_eq!(fs::read(&fetched.files[1]).unwrap(), b"other");
    // Nothing temporary is left.
    assert_eq!(fs::read_dir(place.path("output")).unwrap().count(), 2);
}

#[test]
fn names_taken_by_this_run_lead_to_a_directory_and_others_are_overwritten() {
    let place = Place::new();
    fs::create_dir(place.path("output")).unwrap();
    place.write("output/analysis.json", "earlier run");
    for text in ["one", "two", "three"] {
        let file = place.write("work/analysis.json", text);
        place.upload("debian:lintian", &[&file]).unwrap();
    }
    let names = [
        "output/analysis.json",
        "output/lintian-2/analysis.json",
        "output/lintian-3/analysis.json",
    ];
    assert_eq!(place.outputs(), names.map(|name| vec![place.path(name)]));
    assert_eq!(fs::read(place.path(names[0])).unwrap(), b"one");
    assert_eq!(fs::read(place.path(names[2])).unwrap(), b"three");
    // A file that is called as one of these directories makes way.
    let file = place.write("work/lintian-2", "x");
    place.upload("../..:../x/..", &[&file]).unwrap();
    assert_eq!(place.outputs()[3], [place.path("output/x-2/lintian-2")]);
}

#[test]
fn a_bad_output_is_refused_whole() {
    let place = Place::new();
    let good = place.write("work/good", "x");
    let outside = place.write("outside", "x");
    fifo(&place.path("work/fifo"));
    symlink(&outside, place.path("work/link")).unwrap();
    fs::create_dir(place.path("work/d")).unwrap();
    let twin = place.write("work/d/good", "x");
    for (file, reason) in [
        (place.path("work/gone"), "cannot read"),
        (place.path("work/fifo"), "is a device, FIFO or socket"),
        (place.path("work/d"), "is a directory"),
        (outside, "lies outside the work directory"),
        (place.path("work/link"), "lies outside the work directory"),
        ("../outside".into(), "lies outside the work directory"),
        (twin, "two files of one artifact are called `good`"),
    ] {
        let error = place
            .upload("debian:lintian", &[&good, &file])
            .unwrap_err()
            .to_string();
        assert!(error.contains(reason), "{error}");
    }
    assert_eq!(place.outputs(), [] as [Vec<PathBuf>; 0]);
    assert!(fs::read_dir(place.path("output")).map_or(0, Iterator::count) == 0);
    // The names are free still.
    place.upload("debian:lintian", &[&good]).unwrap();
    assert_eq!(place.outputs(), [[place.path("output/good")]]);
}

#[test]
fn without_a_work_directory_only_whole_paths_are_taken() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("x");
    fs::write(&file, "x").unwrap();
    let server = LocalServer::new(directory.path().into(), directory.path().join("output"));
    let server: &dyn Server = &server;
    let upload = |file: &Path| server.upload(Artifact::new("a:b", Value::Null, vec![file.into()]));
    assert_eq!(upload(&file), Ok(1));
    assert!(
        upload(Path::new("x"))
            .unwrap_err()
            .to_string()
            .contains("x is relative")
    );
}

#[test]
fn an_output_directory_that_cannot_be_made_is_named() {
    let place = Place::new();
    let output = place.write("output", "a file");
    let file = place.write("work/x", "x");
    let error = place.upload("a:b", &[&file]).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("cannot make {}: ", output.display())),
        "{error}"
    );
    place.write("x.deb", "x");
    let gone = place.path("gone");
    let error = place
        .server()
        .fetch(&Lookup::Text("./x.deb".into()), &gone)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with(&format!("cannot write {}", gone.display())),
        "{error}"
    );
}

#[test]
fn names_that_are_no_text_pass() {
    let place = Place::new();
    let name = OsStr::from_bytes(b"\xff\xfe.deb");
    let file = place.write(Path::new("work").join(name), "x");
    let id = place.upload("debian:binary-package", &[&file]).unwrap();
    assert_eq!(place.outputs(), [[place.path("output").join(name)]]);
    fs::create_dir(place.path("work/in")).unwrap();
    let (_, fetched) = place
        .server()
        .fetch(&Lookup::Id(id), &place.path("work/in"))
        .unwrap();
    assert_eq!(fetched.files, [place.path("work/in").join(name)]);
}

#[test]
fn relations_are_kept_with_the_artifact_that_relates() {
    let place = Place::new();
    place.write("x.deb", "x");
    let (input, _) = place.resolve("./x.deb").unwrap();
    let file = place.write("work/lintian.txt", "x");
    let output = place.upload("debian:lintian", &[&file]).unwrap();
    assert_eq!((input, output), (1, 2));
    let relation = Relation {
        artifact: output,
        target: input,
        kind: RelationKind::RelatesTo,
    };
    place.server().relate(relation).unwrap();
    let [stored] = place.server.artifacts().try_into().unwrap();
    assert_eq!((stored.id, stored.relations), (2, vec![relation]));
    for wrong in [
        Relation {
            target: 9,
            ..relation
        },
        Relation {
            artifact: 0,
            ..relation
        },
    ] {
        assert!(
            place
                .server()
                .relate(wrong)
                .unwrap_err()
                .to_string()
                .contains("there is no artifact")
        );
    }
}

#[test]
fn uploads_from_many_threads_never_share_a_name() {
    let place = Arc::new(Place::new());
    let threads: Vec<_> = (0..16)
        .map(|number| {
            let place = Arc::clone(&place);
            thread::spawn(move || {
                let directory = place.path(format!("work/{number}"));
                fs::create_dir(&directory).unwrap();
                let file = directory.join("x");
                fs::write(&file, number.to_string()).unwrap();
                place.upload("a:b", &[&file]).unwrap()
            })
        })
        .collect();
    let mut ids: Vec<_> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=16).collect::<Vec<_>>());
    let mut contents: Vec<u32> = place
        .outputs()
        .iter()
        .map(|files| fs::read_to_string(&files[0]).unwrap().parse().unwrap())
        .collect();
    contents.sort_unstable();
    assert_eq!(contents, (0..16).collect::<Vec<_>>());
}
