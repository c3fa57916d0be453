//! What each released interface said, and that it only grew since. The layout check of a loader tells after the fact;
//! this tells as `abi.rs` is edited.

use crate::{
    farm::root,
    generated::{fixture, patched},
};
use std::{collections::BTreeMap, fs, mem};
use taskbay_core::ApiVersion;

/// The interface's types: attributes, fields and methods in their order, by the line that they start with.
type Types = BTreeMap<String, Vec<String>>;

/// The version of this workspace's interface.
pub(crate) fn version() -> String {
    let manifest = fs::read_to_string(root().join("plugin-api/Cargo.toml")).unwrap();
    let line = manifest
        .lines()
        .find_map(|line| line.strip_prefix("version = "));
    line.unwrap().trim_matches('"').to_owned()
}

/// The types in the text of `abi.rs`, or in a record of it, which is the same without comments and code.
fn types(text: &str) -> Types {
    let mut types = Types::new();
    let mut attributes = Vec::new();
    let mut lines = text.lines().filter(|line| !line.trim().starts_with("//"));
    while let Some(line) = lines.next() {
        if line.starts_with("#[") {
            attributes.push(line.to_owned());
        } else if line.starts_with("pub type ") {
            types.insert(line.to_owned(), Vec::new());
        } else if line.starts_with("pub struct ") || line.starts_with("pub trait ") {
            let body: Vec<_> = lines.by_ref().take_while(|line| *line != "}").collect();
            let items = mem::take(&mut attributes).into_iter().chain(items(&body));
            types.insert(line.to_owned(), items.collect());
        } else {
            attributes.clear();
        }
    }
    types
}

/// The fields and methods of a type, each with its attributes; of a method without its default body.
fn items(body: &[&str]) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut is_whole = true;
    for whole in body {
        let line = whole.trim();
        match items.last_mut() {
            // Part of a default body, which may change.
            Some(method) if method.ends_with('{') && *whole != "    }" => {}
            Some(method) if method.ends_with('{') => *method += "}",
            Some(item) if !is_whole => *item += line,
            _ => items.push(line.to_owned()),
        }
        is_whole = line.ends_with([',', ';', '{', '}', ']']);
    }
    items
}

/// What of `now` is not just `then` or grown from it.
fn broken(then: &Types, now: &Types) -> Vec<String> {
    let mut broken = Vec::new();
    for (head, old) in then {
        let Some(new) = now.get(head) else {
            broken.push(format!("`{head}` is gone"));
            continue;
        };
        let may_grow = old.iter().any(|item| item == "#[sabi(last_prefix_field)]");
        if !new.starts_with(old) {
            broken.push(format!("`{head}` has changed"));
        } else if new.len() > old.len() && !may_grow {
            broken.push(format!("`{head}` has grown, and is no prefix type"));
        } else if head.starts_with("pub trait ")
            && new[old.len()..].iter().any(|item| !item.ends_with('}'))
        {
            broken.push(format!("`{head}` has a new method without a default body"));
        }
    }
    broken
}

/// The released interfaces by their version.
fn released() -> BTreeMap<ApiVersion, Types> {
    let records = fs::read_dir(root().join("tests/abi/interfaces")).unwrap();
    let names = records.map(|record| record.unwrap().file_name().into_string().unwrap());
    let read = |name: String| {
        let version = name.strip_suffix(".txt")?.parse().unwrap();
        Some((version, types(&fixture(&name))))
    };
    names.filter_map(read).collect()
}

fn now() -> Types {
    types(&fs::read_to_string(root().join("plugin-api/src/abi.rs")).unwrap())
}

#[test]
fn the_interface_only_grew() {
    let released = released();
    let (latest, types) = released.last_key_value().unwrap();
    for (version, then) in &released {
        assert_eq!(broken(then, &now()), [""; 0], "since {version}");
    }
    let version: ApiVersion = version().parse().unwrap();
    let says = "the interface's version";
    if now() == *types {
        assert!(version >= *latest, "{says} is behind {latest}");
    } else {
        assert!(
            (version.major, version.minor) > (latest.major, latest.minor),
            "{says} must follow: it grew since {latest}"
        );
    }
}

#[test]
fn what_is_not_growth_is_told() {
    let told = |name| {
        let files = patched(name);
        broken(&now(), &types(&files["plugin-api/src/abi.rs"]))
    };
    assert_eq!(told("newer"), [""; 0]);
    for name in ["changed", "removed"] {
        assert_eq!(told(name), ["`pub struct TaskModule {` has changed"]);
    }
    let text = fs::read_to_string(root().join("plugin-api/src/abi.rs")).unwrap();
    let told = |old: &str, new: &str| {
        assert!(text.contains(old), "{old}");
        broken(&now(), &types(&text.replacen(old, new, 1))).join("\n")
    };
    let mark = "    #[sabi(last_prefix_field)]\n";
    let last = "        RResult::ROk(RString::new())\n    }\n";
    let record = "    pub message: RStr<'a>,\n";
    assert!(told(mark, "").ends_with("has changed"));
    assert!(
        told(last, &format!("{last}    fn estimate(&self) -> u8;\n"))
            .ends_with("without a default body")
    );
    assert!(told(record, &format!("{record}    pub line: u32,\n")).ends_with("is no prefix type"));
    assert!(told("RResult<T, RString>", "RResult<T, RStr>").ends_with("is gone"));
    assert!(told("missing_field(option)", "missing_field(panic)").ends_with("has changed"));
}
