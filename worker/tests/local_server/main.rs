//! The server of a local run, with real packages in directories of their own.

#![expect(
    clippy::unwrap_used,
    reason = "Clippy does not see that all of this is test code"
)]

mod inputs;
mod outputs;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::json;
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
