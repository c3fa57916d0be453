//! What a shared library says to the dynamic linker: which libraries it needs, where else they are looked for, and which
//! symbols others must have.

use crate::{linker, run_path::expand};
use object::{
    Endianness, elf,
    read::elf::{ElfFile64, Sym},
};
use std::{
    collections::{HashSet, VecDeque},
    fs, io,
    path::{Path, PathBuf},
};
use taskbay_plugin_api::host::ROOT_MODULE_SYMBOL;

/// What a shared library says to the dynamic linker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Linkage {
    /// The libraries that it needs, by name.
    pub needed: Vec<String>,
    /// The directories that it adds to those where libraries are looked for, as written.
    pub run_path: Vec<String>,
    /// The symbols that others must have, those that may be missing left out.
    pub lacking: Vec<String>,
    /// The symbols that others can use.
    exported: HashSet<String>,
}

/// What the libraries of this machine have of that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// How many libraries there are, with those that these need.
    pub libraries: usize,
    /// The libraries that are not there.
    pub missing: Vec<String>,
    /// The symbols that none of the libraries has.
    pub unresolved: Vec<String>,
}

/// Why a file says nothing to the dynamic linker.
#[derive(Debug, thiserror::Error)]
pub enum LinkageError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is malformed.
    #[error("what it says to the dynamic linker is malformed: {0}")]
    Malformed(#[from] object::Error),
    /// There is nothing.
    #[error("it has no dynamic section, or no section headers to find it by")]
    Nothing,
}

impl Linkage {
    /// Reads a library.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is none.
    pub fn read(library: &Path) -> Result<Self, LinkageError> {
        Self::parse(&fs::read(library)?)
    }

    /// Reads the bytes of a library.
    ///
    /// # Errors
    ///
    /// When they are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, LinkageError> {
        let file = ElfFile64::<Endianness>::parse(bytes)?;
        let table = file.elf_dynamic_table()?;
        if table.is_empty() {
            return Err(LinkageError::Nothing);
        }
        let mut linkage = Self::default();
        for entry in &table {
            let text = || table.string(entry).map(text);
            match entry.tag {
                elf::DT_NEEDED => linkage.needed.push(text()?),
                elf::DT_RPATH | elf::DT_RUNPATH => {
                    let directories = text()?;
                    let directories = directories.split(':').map(ToOwned::to_owned);
                    linkage.run_path.extend(directories);
                }
                _ => {}
            }
        }
        let symbols = file.elf_dynamic_symbol_table();
        // The first one stands for none.
        for symbol in symbols.iter().skip(1) {
            let name = symbols.symbol_name(file.endian(), symbol).map(text)?;
            if !symbol.is_undefined(file.endian()) {
                linkage.exported.insert(name);
            } else if !symbol.is_weak() {
                linkage.lacking.push(name);
            }
        }
        Ok(linkage)
    }

    /// Whether it exports what a plugin is entered by.
    pub fn has_root_module(&self) -> bool {
        self.exported.contains(ROOT_MODULE_SYMBOL)
    }

    /// Looks for everything that it needs where the dynamic linker does, its run path first.
    pub fn resolve(&self) -> Resolution {
        let mut resolution = Resolution::default();
        let is_own = |symbol: &&String| self.exported.contains(*symbol);
        let mut lacking: Vec<_> = self.lacking.iter().filter(|each| !is_own(each)).collect();
        let mut seen: HashSet<String> = self.needed.iter().cloned().collect();
        let mut waiting: VecDeque<String> = self.needed.iter().cloned().collect();
        while let Some(name) = waiting.pop_front() {
            let found = self.find_on_run_path(&name).or_else(|| linker::find(&name));
            let library = found.and_then(|path| Self::read(&path).ok());
            let Some(library) = library else {
                resolution.missing.push(name);
                continue;
            };
            resolution.libraries += 1;
            lacking.retain(|symbol| !library.exported.contains(*symbol));
            let more = library.needed.into_iter();
            waiting.extend(more.filter(|name| seen.insert(name.clone())));
        }
        // A library that is not there may have had them.
        if resolution.missing.is_empty() {
            resolution.unresolved = lacking.into_iter().cloned().collect();
            resolution.unresolved.sort_unstable();
        }
        resolution
    }

    fn find_on_run_path(&self, library: &str) -> Option<PathBuf> {
        let directories = self.run_path.iter().filter_map(|each| expand(each).ok());
        let directories = directories.map(PathBuf::from);
        let absolute = directories.filter(|directory| directory.is_absolute());
        let mut paths = absolute.map(|directory| directory.join(library));
        paths.find(|path| path.exists())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn finds_all_that_a_library_of_this_machine_needs() {
        let library = linker::find("libgcc_s.so.1").unwrap();
        let linkage = Linkage::read(&library).unwrap();
        assert!(linkage.needed.contains(&"libc.so.6".to_owned()));
        let resolution = linkage.resolve();
        assert!(resolution.libraries >= 2, "{resolution:?}");
        assert!(resolution.missing.is_empty() && resolution.unresolved.is_empty());
    }

    #[test]
    fn says_what_is_not_there() {
        let mut linkage = Linkage {
            needed: vec!["libc.so.6".to_owned()],
            lacking: ["memmove", "memmovX", "own"].map(str::to_owned).into(),
            exported: HashSet::from(["own".to_owned()]),
            ..Linkage::default()
        };
        assert_eq!(linkage.resolve().unresolved, ["memmovX"]);
        linkage.needed.push("libtaskbay-gone.so.1".to_owned());
        let resolution = linkage.resolve();
        assert_eq!(resolution.missing, ["libtaskbay-gone.so.1"]);
        assert!(resolution.unresolved.is_empty());
    }

    #[test]
    fn libraries_on_its_run_path_count() {
        let place = tempfile::tempdir().unwrap();
        let cc = |name: &str, arguments: &[&str]| {
            let file = place.path().join(name);
            fs::write(file.with_extension("c"), "int x;\n").unwrap();
            let mut command = Command::new("cc");
            command
                .args(["-shared", "-o"])
                .arg(&file)
                .arg(file.with_extension("c"));
            command.arg("-L").arg(place.path()).args(arguments);
            assert!(command.status().unwrap().success());
            file
        };
        cc("libtaskbay-inner.so", &[]);
        let directory = place.path().display();
        let run_path = format!("-Wl,-rpath,$ORIGIN/lib:{directory}");
        let arguments = ["-Wl,--no-as-needed", "-ltaskbay-inner", &run_path];
        let linkage = Linkage::read(&cc("outer.so", &arguments)).unwrap();
        assert_eq!(
            linkage.run_path,
            ["$ORIGIN/lib".to_owned(), directory.to_string()]
        );
        let resolution = linkage.resolve();
        assert_eq!(resolution.missing, Vec::<String>::new());
        assert!(!linkage.has_root_module());
    }

    #[test]
    fn no_library_is_an_error() {
        assert!(Linkage::parse(b"\x7fELF").is_err());
        assert!(Linkage::read(Path::new("/nonexistent/x.so")).is_err());
    }
}
