//! Small real packages with known mistakes, made with dpkg's tools.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Builds a package without a copyright file, which is an error, and with an override of another one.
pub(crate) fn deb(store: &Path, name: &str, architecture: &str) -> PathBuf {
    let tree = store.join(format!("tree-{name}"));
    let write = |file: &str, text: &str| write(&tree, file, text);
    write("usr/local/greeting", "");
    write(
        &format!("usr/share/lintian/overrides/{name}"),
        &format!("# The administrator\n# asked for it.\n{name}: file-in-usr-local\n"),
    );
    let control = format!(
        "Package: {name}\nVersion: 1.0\nArchitecture: {architecture}\nMaintainer: A Person <a@example.org>\n\
         Description: greets\n Prints a greeting.\n"
    );
    write("DEBIAN/control", &control);
    let deb = store.join(format!("{name}_1.0_{architecture}.deb"));
    quiet(
        Command::new("dpkg-deb")
            .args(["--root-owner-group", "--build"])
            .args([&tree, &deb]),
    );
    deb
}

/// Builds a source package without a copyright file, which is a warning; its files, the `.dsc` first.
pub(crate) fn source(store: &Path) -> Vec<PathBuf> {
    let tree = store.join("hello-1.0");
    write(&tree, "debian/source/format", "3.0 (native)\n");
    write(
        &tree,
        "debian/control",
        "Source: hello\nMaintainer: A Person <a@example.org>\n\nPackage: hello\nArchitecture: any\n\
         Description: greets\n Prints a greeting.\n",
    );
    write(
        &tree,
        "debian/changelog",
        "hello (1.0) unstable; urgency=medium\n\n  * Release.\n\n \
         -- A Person <a@example.org>  Mon, 01 Jan 2024 00:00:00 +0000\n",
    );
    write(&tree, "debian/rules", "#!/usr/bin/make -f\n%:\n\tdh $@\n");
    quiet(
        Command::new("dpkg-source")
            .arg("--build")
            .arg(&tree)
            .current_dir(store),
    );
    ["hello_1.0.dsc", "hello_1.0.tar.xz"]
        .map(|file| store.join(file))
        .into()
}

fn write(tree: &Path, file: &str, text: &str) {
    let file = tree.join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn quiet(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
