//! Small real packages, made with dpkg's tools. The name of the file to build says what is in it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const PERSON: &str = "A Person <a@example.org>";

/// Builds a binary package such as `hello_1.0_amd64.deb` in the directory `store`. It has these files, each a path and
/// a text.
pub fn deb(store: &Path, deb: &str, files: &[(&str, &str)]) -> PathBuf {
    let stem = deb.strip_suffix(".deb").unwrap();
    let [name, version, architecture] = stem.split('_').collect::<Vec<_>>()[..] else {
        panic!("`{deb}` is not named NAME_VERSION_ARCHITECTURE.deb");
    };
    let control = format!(
        "Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: {PERSON}\n\
         Description: greets\n Prints a greeting.\n"
    );
    let tree = store.join(stem);
    write(&tree, &[("DEBIAN/control", &control)]);
    write(&tree, files);
    let deb = store.join(deb);
    quiet(
        Command::new("dpkg-deb")
            .args(["--root-owner-group", "--build"])
            .args([&tree, &deb]),
    );
    deb
}

/// Builds a source package such as `hello_1.0.dsc` in the directory `store`. It has these files besides those that it
/// cannot do without. Returns what was built, the `.dsc` first.
pub fn source(store: &Path, dsc: &str, files: &[(&str, &str)]) -> Vec<PathBuf> {
    let stem = dsc.strip_suffix(".dsc").unwrap();
    let (name, version) = stem.split_once('_').unwrap();
    let control = format!(
        "Source: {name}\nMaintainer: {PERSON}\n\nPackage: {name}\nArchitecture: any\n\
         Description: greets\n Prints a greeting.\n"
    );
    let changelog = format!(
        "{name} ({version}) unstable; urgency=medium\n\n  * Release.\n\n \
         -- {PERSON}  Mon, 01 Jan 2024 00:00:00 +0000\n"
    );
    let tree = store.join(format!("{name}-{version}"));
    write(
        &tree,
        &[
            ("debian/source/format", "3.0 (native)\n"),
            ("debian/control", &control),
            ("debian/changelog", &changelog),
            ("debian/rules", "#!/usr/bin/make -f\n%:\n\tdh $@\n"),
        ],
    );
    write(&tree, files);
    quiet(
        Command::new("dpkg-source")
            .arg("--build")
            .arg(&tree)
            .current_dir(store),
    );
    ["dsc", "tar.xz"]
        .map(|end| store.join(format!("{stem}.{end}")))
        .into()
}

fn write(tree: &Path, files: &[(&str, &str)]) {
    for (file, text) in files {
        let file = tree.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

fn quiet(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
