//! Level 0: the file is read; none of its code runs.

use crate::{
    Options,
    bytes::{Bytes, LARGEST},
    record::Record,
    test::{Tried, fault, found, passed},
};
use std::path::Path;
use taskbay_loader::{Admissible, Catalog, Claim, Linkage, LinkageError, State};

/// The tests of this level.
pub(crate) const TESTS: &[&str] = &[
    "file",
    "size",
    "libraries",
    "symbols",
    "run-path",
    "unchanged",
];

/// The most symbols that are named.
const MOST_NAMED: usize = 5;

/// What a file is known by that is no plugin.
pub(crate) type Claimed = Option<Claim>;

/// Reads the file; what may be loaded.
pub(crate) fn run(
    path: &Path,
    bytes: Option<&Bytes>,
    options: &Options,
    record: &mut Record,
    claim: &mut Claimed,
) -> Option<Admissible> {
    let file = record.test("file", || admit(path, options, claim))?;
    record.test("size", || size(&file))?;
    let linkage = Linkage::read(file.resolved());
    record.test("libraries", || libraries(&linkage));
    record.test("symbols", || symbols(&linkage));
    record.test("run-path", || run_path(&linkage, options));
    record.test("unchanged", || unchanged(&file, bytes))?;
    Some(file)
}

fn admit(path: &Path, options: &Options, claim: &mut Claimed) -> Tried<Admissible> {
    let catalog = Catalog::of_file(path, options.policy);
    let Some(entry) = catalog.entries.into_iter().next() else {
        return fault("it is not looked at", "name a plugin file");
    };
    *claim = entry.claim;
    match entry.state {
        State::Usable(admissible) | State::Shadowed { admissible, .. } => {
            let api = admissible.manifest().api;
            found(admissible, format!("a plugin for API {api}"))
        }
        State::Rejected(rejection) if path.is_dir() => {
            let within = path.join("*.so");
            let help = format!("name the plugin files in it, as in `{}`", within.display());
            fault(rejection.to_string(), help)
        }
        State::Rejected(rejection) => fault(rejection.to_string(), rejection.help()),
    }
}

fn size(file: &Admissible) -> Tried<()> {
    let size = file.identity().size();
    if size > LARGEST {
        return fault(
            format!("it has {size} bytes, and {LARGEST} are the most that a plugin should have"),
            "build it with `--release` and `strip = true`, and keep data out of it",
        );
    }
    passed(format!("{} kB", size.div_ceil(1000)))
}

/// What is said of the file is said of the bytes whose digest the report has.
fn unchanged(file: &Admissible, bytes: Option<&Bytes>) -> Tried<()> {
    match bytes.filter(|bytes| bytes.are_still(Some(file))) {
        Some(bytes) => passed(format!("its SHA-256 is {}", bytes.sha256)),
        None => fault(
            "it was replaced, or written to, as it was checked",
            "check it again once it is whole: build under another name, then rename",
        ),
    }
}

/// What could be read, or the test's end.
fn read(linkage: &Result<Linkage, LinkageError>) -> Result<&Linkage, crate::test::Objection> {
    match linkage {
        Ok(linkage) => Ok(linkage),
        Err(error) => fault(
            error.to_string(),
            "build it again with a linker that keeps section headers",
        ),
    }
}

fn libraries(linkage: &Result<Linkage, LinkageError>) -> Tried<()> {
    let resolution = read(linkage)?.resolve();
    if resolution.missing.is_empty() {
        return passed(format!("all {} are there", resolution.libraries));
    }
    fault(
        format!("no such library here: {}", resolution.missing.join(", ")),
        "install the packages that have them and depend on these, or link them statically",
    )
}

fn symbols(linkage: &Result<Linkage, LinkageError>) -> Tried<()> {
    let linkage = read(linkage)?;
    if !linkage.has_root_module() {
        return fault(
            "it has a manifest, but does not export a root module",
            "export the task with `export_task!`, and do not strip dynamic symbols",
        );
    }
    let unresolved = linkage.resolve().unresolved;
    if unresolved.is_empty() {
        return passed(format!(
            "all {} that it lacks are in its libraries",
            linkage.lacking.len()
        ));
    }
    let named = unresolved.iter().take(MOST_NAMED).cloned();
    let mut named: Vec<_> = named.collect();
    if unresolved.len() > MOST_NAMED {
        named.push(format!("and {} more", unresolved.len() - MOST_NAMED));
    }
    fault(
        format!("no library that it needs has {}", named.join(", ")),
        "link the library that has them, with `-Wl,-z,defs` to be told at once",
    )
}

fn run_path(linkage: &Result<Linkage, LinkageError>, options: &Options) -> Tried<()> {
    let directories = &read(linkage)?.run_path;
    for directory in directories {
        if let Err(error) = options.policy.check_run_path(directory) {
            return fault(error.to_string(), error.help());
        }
    }
    if directories.is_empty() {
        return passed("it has none");
    }
    passed(directories.join(":"))
}
