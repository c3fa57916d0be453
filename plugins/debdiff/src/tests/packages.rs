//! Small real packages, made with dpkg's tools.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Builds the package `name` of that version, with an empty file under each path.
pub(crate) fn deb(store: &Path, name: &str, version: &str, files: &[&str]) -> PathBuf {
    let tree = store.join(format!("tree-{name}-{version}"));
    for file in files {
        let file = tree.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
    fs::create_dir_all(tree.join("DEBIAN")).unwrap();
    let control = format!(
        "Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: A Person <a@example.org>\n\
         Description: greets\n Prints a greeting.\n"
    );
    fs::write(tree.join("DEBIAN/control"), control).unwrap();
    let deb = store.join(format!("{name}_{version}_amd64.deb"));
    quiet(
        Command::new("dpkg-deb")
            .args(["--root-owner-group", "--build"])
            .args([&tree, &deb]),
    );
    deb
}

/// Builds the source package `hello` of that version; its files, the `.dsc` first.
pub(crate) fn source(store: &Path, version: &str) -> Vec<PathBuf> {
    let tree = store.join(format!("hello-{version}"));
    fs::create_dir_all(tree.join("debian/source")).unwrap();
    let write = |file: &str, text: &str| fs::write(tree.join(file), text).unwrap();
    write("debian/source/format", "3.0 (native)\n");
    write(
        "debian/control",
        "Source: hello\nMaintainer: A Person <a@example.org>\n\nPackage: hello\nArchitecture: any\n\
         Description: greets\n Prints a greeting.\n",
    );
    let changelog = format!(
        "hello ({version}) unstable; urgency=medium\n\n  * Release.\n\n \
         -- A Person <a@example.org>  Mon, 01 Jan 2024 00:00:00 +0000\n"
    );
    write("debian/changelog", &changelog);
    write("greeting", version);
    quiet(
        Command::new("dpkg-source")
            .arg("--build")
            .arg(&tree)
            .current_dir(store),
    );
    ["dsc", "tar.xz"]
        .map(|end| store.join(format!("hello_{version}.{end}")))
        .into()
}

/// Writes the `.changes` file of that version, which names these files.
pub(crate) fn changes(store: &Path, version: &str, files: &[PathBuf]) -> PathBuf {
    let mut text = format!("Format: 1.8\nSource: hello\nVersion: {version}\nFiles:\n");
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        text.extend([
            " d41d8cd98f00b204e9800998ecf8427e 0 misc optional ",
            name,
            "\n",
        ]);
    }
    let changes = store.join(format!("hello_{version}_amd64.changes"));
    fs::write(&changes, text).unwrap();
    changes
}

fn quiet(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
