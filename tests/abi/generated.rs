//! Plugins and hosts of other interfaces and other builds, generated from this workspace's source.

use crate::{
    farm::{built, root},
    patch,
};
use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

/// What the plugins here depend on, unless it is this that differs.
const DEPENDENCIES: &str = "schemars.workspace = true\nserde.workspace = true\n";
/// Cheap to build, and as different from one another as plugins get.
const PROFILES: &str = "
[profile.dev]
debug = false
incremental = false

[profile.release]
strip = true
";

/// A generated workspace that has been built.
pub(crate) struct Generated {
    name: &'static str,
    profile: PathBuf,
}

impl Generated {
    /// The noop plugin, against the interface with that diff. Each diff must give the interface a version of its own, by
    /// which cargo tells the crates apart in the one directory that all are built in.
    pub(crate) fn patched(name: &'static str) -> Self {
        let mut files = patched(name);
        add_plugin(&mut files, name, &noop(), DEPENDENCIES);
        build(name, files, &[])
    }

    /// The same, and a host.
    pub(crate) fn patched_with_host(name: &'static str) -> Self {
        let mut files = patched(name);
        add_plugin(&mut files, name, &noop(), DEPENDENCIES);
        let dependencies = "serde_json.workspace = true\ntaskbay-core.workspace = true\ntaskbay-loader.workspace = true\n";
        let manifest = package(&format!("host-{name}"), "", dependencies);
        files.insert("host/Cargo.toml".into(), manifest);
        files.insert("host/src/main.rs".into(), fixture("host.rs"));
        build(name, files, &["-p", &format!("taskbay-abi-host-{name}")])
    }

    /// The noop plugin, against this workspace's interface, built as releases are.
    pub(crate) fn release() -> Self {
        let mut files = BTreeMap::new();
        add_plugin(&mut files, "release", &noop(), DEPENDENCIES);
        build("release", files, &["--release"])
    }

    /// A plugin that has other features of serde and of `serde_json`, against this workspace's interface.
    pub(crate) fn features() -> Self {
        let mut files = BTreeMap::new();
        let dependencies = r#"
schemars.workspace = true
serde = { workspace = true, features = ["rc"] }
serde_json = { workspace = true, features = ["arbitrary_precision", "float_roundtrip", "unbounded_depth"] }
"#;
        add_plugin(
            &mut files,
            "features",
            &fixture("features.rs"),
            dependencies,
        );
        build("features", files, &[])
    }

    /// The plugin's file.
    pub(crate) fn plugin(&self) -> PathBuf {
        self.profile
            .join(format!("libtaskbay_abi_{}.so", self.name))
    }

    /// The host's program.
    pub(crate) fn host(&self) -> PathBuf {
        self.profile.join(format!("taskbay-abi-host-{}", self.name))
    }
}

/// The sources of interface and loader with that diff.
pub(crate) fn patched(name: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for folder in ["plugin-api", "loader"] {
        add_folder(&mut files, folder);
    }
    patch::apply(&fixture(&format!("{name}.patch")), &mut files);
    files
}

/// A file that was written for this test.
pub(crate) fn fixture(name: &str) -> String {
    read(&format!("tests/abi/interfaces/{name}"))
}

fn read(file: &str) -> String {
    let path = root().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn noop() -> String {
    read("plugins/noop/src/lib.rs").replace("#[cfg(test)]\nmod tests;\n", "")
}

/// Adds the package in that folder.
fn add_folder(files: &mut BTreeMap<String, String>, folder: &str) {
    for name in [format!("{folder}/Cargo.toml"), format!("{folder}/src")] {
        let mut rest = vec![name];
        while let Some(name) = rest.pop() {
            let path = root().join(&name);
            if path.is_dir() {
                let entries = fs::read_dir(path).unwrap();
                let names = entries.map(|entry| entry.unwrap().file_name());
                rest.extend(names.map(|file| format!("{name}/{}", file.display())));
            } else {
                files.insert(name.clone(), read(&name));
            }
        }
    }
}

fn add_plugin(files: &mut BTreeMap<String, String>, name: &str, source: &str, dependencies: &str) {
    let library = "[lib]\ncrate-type = [\"cdylib\"]\n\n";
    let dependencies = format!("{dependencies}taskbay-plugin-api.workspace = true\n");
    let manifest = package(name, library, &dependencies);
    files.insert("plugin/Cargo.toml".into(), manifest);
    files.insert("plugin/src/lib.rs".into(), source.to_owned());
}

fn package(name: &str, sections: &str, dependencies: &str) -> String {
    format!(
        "[package]\nname = \"taskbay-abi-{name}\"\nversion = \"0.1.0\"\nedition.workspace = true\n\n\
        {sections}[dependencies]\n{dependencies}"
    )
}

/// This workspace's manifest for the packages in `files`; those not in it are this workspace's.
fn workspace(files: &BTreeMap<String, String>) -> String {
    let packages: Vec<_> = files
        .keys()
        .filter_map(|name| name.strip_suffix("/Cargo.toml"))
        .collect();
    let manifest = read("Cargo.toml");
    let (manifest, _) = manifest.split_once("\n[profile.release]").unwrap();
    let here = |line: &str| {
        let path = line
            .split_once("path = \"")
            .and_then(|(_, rest)| rest.split('"').next());
        if line.starts_with("members = ") {
            format!("members = {packages:?}")
        } else if let Some(path) = path.filter(|path| !packages.contains(path)) {
            let whole = root().join(path);
            line.replace(&format!("\"{path}\""), &format!("\"{}\"", whole.display()))
        } else {
            line.to_owned()
        }
    };
    let lines: Vec<_> = manifest.lines().map(here).collect();
    lines.join("\n") + PROFILES
}

/// Writes the files and builds them. All that is generated is built in one directory below cargo's own, which no other
/// build uses, from the versions that this workspace has locked.
fn build(name: &'static str, mut files: BTreeMap<String, String>, options: &[&str]) -> Generated {
    files.insert("Cargo.toml".into(), workspace(&files));
    let top = built().parent().unwrap().join("abi");
    let folder = top.join(name);
    for (file, text) in &files {
        let path = folder.join(file);
        // What is not written again is not built again.
        if fs::read_to_string(&path).is_ok_and(|old| old == *text) {
            continue;
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    fs::write(folder.join("Cargo.lock"), read("Cargo.lock")).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(root())
        .args(["build", "--offline", "--quiet"])
        .args(["-p", &format!("taskbay-abi-{name}")])
        .args(options)
        .arg("--manifest-path")
        .arg(folder.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", top.join("target"));
    let ran = cargo.output().unwrap();
    assert!(
        ran.status.success(),
        "`{name}` cannot be built: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let profile = if options.contains(&"--release") {
        "release"
    } else {
        "debug"
    };
    Generated {
        name,
        profile: top.join("target").join(profile),
    }
}
