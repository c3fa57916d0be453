//! What the source keeps to, and what the documents promise.

use crate::farm::root;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The folders of crates, but for those that are tests or benchmarks.
fn crates() -> Vec<PathBuf> {
    let folders = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_other = |folder: &Path| {
        ["tests", "bench", "fuzz"]
            .map(|name| root().join(name))
            .contains(&folder.to_owned())
    };
    let has_crates =
        |folder: &Path| folder.join("Cargo.toml").is_file() || folder.ends_with("plugins");
    folders
        .filter(|folder| has_crates(folder) && !is_other(folder))
        .collect()
}

/// The Rust files below these folders, sorted.
fn sources(mut folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn unsafe_code_is_in_two_files() {
    let has_unsafe = |path: &PathBuf| text(path).contains("unsafe {");
    let found: Vec<_> = sources(crates()).into_iter().filter(has_unsafe).collect();
    assert_eq!(
        found,
        [
            root().join("loader/src/load.rs"),
            root().join("plugin-api/src/export.rs")
        ]
    );
}

#[test]
fn abi_stable_is_named_by_the_interface_and_its_loader_alone() {
    let may = ["plugin-api", "loader"].map(|name| root().join(name));
    let mut others = crates();
    others.retain(|folder| !may.contains(folder));
    for path in sources(others) {
        assert!(!text(&path).contains("abi_stable::"), "{}", path.display());
    }
}

/// Whoever parses a number reads the one that was written. The tests of numbers would not notice a crate that does not
/// ask for it, since what one crate of a build asks for all others get.
#[test]
fn every_crate_reads_numbers_as_they_were_written() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(root())
        .args(["metadata", "--locked", "--no-deps", "--format-version=1"]);
    let metadata: Value = serde_json::from_slice(&cargo.output().unwrap().stdout).unwrap();
    let mut readers = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let dependencies = package["dependencies"].as_array().unwrap();
        for json in dependencies
            .iter()
            .filter(|each| each["name"] == "serde_json")
        {
            let features = json["features"].as_array().unwrap();
            let name = package["name"].as_str().unwrap();
            assert!(features.contains(&"float_roundtrip".into()), "{name}");
            readers.push(name);
        }
    }
    for reader in ["taskbay-core", "taskbay-plugin-api", "taskbay-loader"] {
        assert!(readers.contains(&reader), "{readers:?}");
    }
}

/// A test that is skipped is seen to be: the harness shows nothing that a test which passes prints.
#[test]
fn tests_are_skipped_in_one_way() {
    let says_so = concat!("\"", "skipped");
    let is_another = |path: &PathBuf| text(path).contains(&format!("{says_so}: "));
    let all = sources([crates(), vec![root().join("tests")]].concat());
    let found: Vec<_> = all.into_iter().filter(is_another).collect();
    assert_eq!(found, [root().join("test/src/tools.rs")]);
}

/// A plugin that would end its host on a panic does not compile.
#[test]
fn panic_abort_does_not_compile() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args([
        "rustc",
        "--locked",
        "-p",
        "taskbay-task-noop",
        "--",
        "-C",
        "panic=abort",
    ]);
    let built = cargo.output().unwrap();
    let message = String::from_utf8_lossy(&built.stderr);
    assert!(!built.status.success());
    assert!(
        message.contains("a plugin must be built with panic"),
        "{message}"
    );
}

/// The README's plugin is the author's page's, which is compiled.
#[test]
fn the_documents_show_one_plugin() {
    let readme = text(&root().join("README.md"));
    let (_, plugin) = readme.split_once("```rust\n").unwrap();
    let (plugin, _) = plugin.split_once("\n```").unwrap();
    assert!(plugin.ends_with("export_task!(Noop);"));
    assert!(readme.contains(&format!("`${}`", taskbay_loader::PLUGIN_PATH_VARIABLE)));
    let commented: String = plugin
        .lines()
        .map(|line| format!("//! {line}").trim_end().to_owned() + "\n")
        .collect();
    let page = text(&root().join("plugin-api/src/lib.rs"));
    assert!(page.contains(&format!(
        "//! ```\n{commented}//! # fn main() {{}}\n//! ```"
    )));
}

/// The packages of one version fit one another, and a task that runs in an environment brings what unpacks it.
#[test]
fn packages_name_what_they_need() {
    let workspace = text(&root().join("Cargo.toml"));
    let mut lines = workspace.lines();
    let version = lines
        .find_map(|line| line.strip_prefix("version = "))
        .unwrap();
    let version = version.trim_matches('"');
    let host = text(&root().join("cli/Cargo.toml"));
    for relation in ["=", ">="] {
        let depends = format!("depends = \"taskbay ({relation} {version}-1)");
        assert!(host.contains(&depends), "no {depends} in {host}");
    }
    let mut in_environments = 0;
    for task in fs::read_dir(root().join("plugins")).unwrap() {
        let task = task.unwrap().path();
        let mut source = sources(vec![task.join("src")]);
        source.retain(|file| !file.ends_with("tests.rs"));
        let is_in_one = |file: &PathBuf| {
            let text = text(file);
            [
                "InEnvironment",
                "InOptionalEnvironment",
                " environment: Lookup",
            ]
            .iter()
            .any(|word| text.contains(word))
        };
        if source.iter().any(is_in_one) {
            let manifest = text(&task.join("Cargo.toml"));
            let needs = manifest
                .lines()
                .filter(|line| line.contains("depends = ") || line.contains("recommends = "));
            let needs: String = needs.collect();
            assert!(
                needs.contains("uidmap") && needs.contains("xz-utils"),
                "{manifest}"
            );
            in_environments += 1;
        }
    }
    assert!(in_environments >= 6, "{in_environments}");
}

/// The author's guide leads from nothing to a package.
#[test]
fn the_guide_leads_to_a_package() {
    let guide = text(&root().join("plugin-api/src/lib.rs"));
    for word in [
        "taskbay new",
        "taskbay-test",
        "taskbay check",
        "cargo deb",
        "taskbay-abi-1",
    ] {
        assert!(guide.contains(word), "no {word}");
    }
}

/// Task packages depend on the major version of the interface that they were built against, and the host's provides it.
#[test]
fn packages_agree_on_the_interface() {
    let manifest = text(&root().join("plugin-api/Cargo.toml"));
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("version = \""));
    let major = version.unwrap().split('.').next().unwrap();
    let abi = format!("taskbay-abi-{major}");
    let host = text(&root().join("cli/Cargo.toml"));
    assert!(host.contains(&format!("provides = \"{abi}\"")));
    for task in fs::read_dir(root().join("plugins")).unwrap() {
        let manifest = text(&task.unwrap().path().join("Cargo.toml"));
        let depends = manifest.lines().find(|line| line.starts_with("depends = "));
        assert!(depends.unwrap().contains(&abi), "{manifest}");
    }
}
