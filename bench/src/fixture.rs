//! What is measured: the release build beside this program, and a thousand plugins made of one.

use crate::task::Measured;
use anyhow::{Context as _, Result, bail, ensure};
use std::{
    cell::OnceCell,
    env, fs,
    path::{Path, PathBuf},
};
use taskbay_core::Task;
use taskbay_loader::{Admissible, Catalog, Loader, Plugin, Registry, State, Store, TrustPolicy};
use tempfile::TempDir;

/// The tasks that ship.
pub(crate) const SHIPPED: [&str; 4] = ["blhc", "debdiff", "lintian", "noop"];
/// How many plugins there are at most.
pub(crate) const MANY: usize = 1000;
/// What of the measured task's name is replaced in each of them.
const DIGITS: &str = "bench-000000-";

/// What is measured, in a temporary directory that goes with it.
pub(crate) struct Fixture {
    directory: TempDir,
    /// Where this program lies, and what was built with it.
    built: PathBuf,
    many: OnceCell<PathBuf>,
}

impl Fixture {
    pub(crate) fn new() -> Result<Self> {
        let program = env::current_exe().context("this program's own path is not known")?;
        let built = program.parent().context("this program lies nowhere")?;
        let fixture = Self {
            directory: TempDir::with_prefix("taskbay-bench-")?,
            built: built.to_owned(),
            many: OnceCell::new(),
        };
        let plugins = fixture.shipped();
        fs::create_dir(&plugins)?;
        for name in SHIPPED {
            let file = format!("libtaskbay_task_{name}.so");
            fixture.copy_built(&file, &plugins.join(&file))?;
        }
        fixture.copy_built("libtaskbay_bench_plugin.so", &fixture.measured())?;
        Ok(fixture)
    }

    fn copy_built(&self, file: &str, to: &Path) -> Result<()> {
        let file = self.built.join(file);
        fs::copy(&file, to).with_context(|| {
            format!(
                "{} is missing: build the whole workspace first",
                file.display()
            )
        })?;
        Ok(())
    }

    /// The program `taskbay`.
    pub(crate) fn program(&self) -> PathBuf {
        self.built.join("taskbay")
    }

    /// A directory with the plugins that ship.
    pub(crate) fn shipped(&self) -> PathBuf {
        self.path("shipped")
    }

    /// The plugin of the measured task.
    pub(crate) fn measured(&self) -> PathBuf {
        self.path("measured.so")
    }

    /// The directory of private copies.
    pub(crate) fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// A path in the temporary directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A directory with a thousand plugins, of distinct names.
    pub(crate) fn many(&self) -> Result<&Path> {
        if let Some(made) = self.many.get() {
            return Ok(made);
        }
        let directory = self.path("many");
        fs::create_dir(&directory)?;
        let bytes = fs::read(self.measured())?;
        for number in 0..MANY {
            fs::write(directory.join(file_name(number)), renamed(&bytes, number)?)?;
        }
        Ok(self.many.get_or_init(|| directory))
    }

    /// Loads the plugins that ship, and that of the measured task, into this process.
    pub(crate) fn registry(&self) -> Result<Registry> {
        let loader = Loader::new(Store::in_directory(self.store()));
        let mut registry = Registry::default();
        for name in SHIPPED {
            let file = self.shipped().join(format!("libtaskbay_task_{name}.so"));
            registry.register(load(&loader, &file)?)?;
        }
        registry.register(load(&loader, &self.measured())?)?;
        Ok(registry)
    }
}

/// The file of the plugin of that number.
pub(crate) fn file_name(number: usize) -> String {
    format!("plugin-{number:06}.so")
}

/// The plugin file at `path`, inspected.
pub(crate) fn admissible(path: &Path) -> Result<Admissible> {
    let mut catalog = Catalog::of_file(path, TrustPolicy::OwnerOnly);
    match catalog.entries.pop().map(|entry| entry.state) {
        Some(State::Usable(admissible)) => Ok(admissible),
        Some(State::Rejected(reason)) => Err(reason.into()),
        _ => bail!("{} is no plugin", path.display()),
    }
}

fn load(loader: &Loader, path: &Path) -> Result<Plugin> {
    Ok(loader.load(&admissible(path)?)?)
}

/// The measured task's plugin under another name, which stands in its manifest and in its code.
fn renamed(plugin: &[u8], number: usize) -> Result<Vec<u8>> {
    ensure!(
        Measured::NAME.starts_with(DIGITS),
        "the measured task has lost its digits"
    );
    let name = format!("bench-{number:06}-");
    let mut renamed = plugin.to_vec();
    let mut at = 0;
    while let Some(found) = find(&renamed[at..], DIGITS.as_bytes()) {
        at += found;
        renamed[at..at + name.len()].copy_from_slice(name.as_bytes());
        at += name.len();
    }
    ensure!(
        at > 0,
        "the measured plugin does not have its own name in it"
    );
    Ok(renamed)
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}
