//! Loading a plugin: the one place where foreign code enters the process.
#![expect(
    unsafe_code,
    reason = "dlopen, and what it gives, are unsafe by nature"
)]

use crate::{
    Admissible, Candidate, FileIdentity, Plugin, Rejection, SchemaError, Store, StoreError,
    TrustPolicy, host_context, inspect,
    linker::missing_library,
    plugin::{description, text},
};
use abi_stable::{
    StableAbi,
    abi_stability::abi_checking::{CheckingGlobals, check_layout_compatibility_with_globals},
    library::{AbiHeaderRef, LibHeader, ROOT_MODULE_LOADER_NAME_WITH_NUL},
};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::{
    mem,
    path::{Path, PathBuf},
};
use taskbay_core::ApiVersion;
use taskbay_plugin_api::host::{
    Description, Fault, INTERFACE_FINGERPRINT, TaskModuleRef, api_version,
};

/// Keeps the library for ever, even were it closed (`dlfcn.h` of Linux). Unloading Rust code is unsound: a thread may
/// still run destructors that lie in it.
const RTLD_NODELETE: i32 = 0x1000;

/// Loads plugins into this process.
#[derive(Debug)]
pub struct Loader {
    store: Store,
}

/// Why a plugin cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no private copy to load.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The dynamic linker refused it.
    #[error("the dynamic linker refuses it: {0}")]
    Dlopen(String),
    /// It lacks the root module's symbol.
    #[error("it has a manifest, but no root module")]
    NoRootModule,
    /// It was built with another `abi_stable`.
    #[error("its root module is not one of this host's abi_stable: {0}")]
    Header(String),
    /// Its interface is laid out otherwise.
    #[error(
        "its interface is laid out differently: it was built against plugin API {plugin}, this host has {host}"
    )]
    Layout {
        /// The plugin's interface.
        plugin: ApiVersion,
        /// The host's interface.
        host: ApiVersion,
        /// What exactly differs, in hundreds of lines.
        details: String,
    },
    /// Its root module could not be made.
    #[error("its root module could not be made: {0}")]
    RootModule(String),
    /// It failed as it described itself.
    #[error("it failed as it described itself: {0}")]
    Describe(Fault),
    /// Manifest and module disagree.
    #[error("its manifest says {manifest}, and its code says {code}")]
    Disagree {
        /// Name and version by the manifest.
        manifest: String,
        /// Name and version by the code.
        code: String,
    },
    /// Its schema is invalid.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

impl LoadError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Store(error) => error.help().to_owned(),
            Self::Dlopen(message) if message.contains("failed to map segment") => {
                "set TASKBAY_CACHE_DIR to a directory on a file system that is not mounted noexec"
                    .to_owned()
            }
            Self::Dlopen(_) => "install the libraries that it needs, or build it again".to_owned(),
            Self::NoRootModule => {
                "export the task with `export_task!`, which makes both".to_owned()
            }
            Self::Header(_) | Self::RootModule(_) | Self::Layout { .. } => {
                format!("rebuild it against taskbay-plugin-api {}", api_version())
            }
            Self::Describe(_) => "see what it logs with -v; its author can mend it".to_owned(),
            Self::Disagree { .. } => {
                "build it again from a clean tree, with `export_task!`".to_owned()
            }
            Self::Schema(_) => {
                "correct Task::schema: it must be valid, and refer to nothing outside itself"
                    .to_owned()
            }
        }
    }

    /// The shared library that it needs and that was not found.
    pub fn missing_library(&self) -> Option<&str> {
        match self {
            Self::Dlopen(message) => missing_library(message),
            _ => None,
        }
    }

    /// More than a message should hold, where there is more.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::Layout { details, .. } => Some(details),
            _ => None,
        }
    }
}

impl Loader {
    /// A loader that loads from copies in `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Makes the private copy of the file, so that loading it later costs less, also in another process.
    ///
    /// # Errors
    ///
    /// When there can be none.
    pub fn keep(&self, admissible: &Admissible) -> Result<PathBuf, LoadError> {
        Ok(self.store.keep(&admissible.resolved, admissible.identity)?)
    }

    /// The plugin file `source` in the state `identity`, for which the caller has decided to trust it. What is inspected
    /// is the private copy, and so are the very bytes that are loaded, whatever has become of the file meanwhile.
    ///
    /// # Errors
    ///
    /// When there is no copy and the file has changed, or it is no plugin for this host.
    pub fn admit(&self, source: &Path, identity: FileIdentity) -> Result<Admissible, Rejection> {
        let copy = self.store.keep(source, identity).map_err(LoadError::from)?;
        let inspected = inspect(&Candidate::private(copy), TrustPolicy::Anyone)?;
        Ok(inspected
            .accept(api_version())?
            .read_from_copy(source, identity))
    }

    /// Loads the file for the life of the process.
    ///
    /// # Errors
    ///
    /// When it is not what its manifest says, or its schema is bad. Some of its code may have run by then.
    pub fn load(&self, admissible: &Admissible) -> Result<Plugin, LoadError> {
        let plugin = self.load_lazily(admissible)?;
        match plugin.compiled_schema() {
            Some(Err(error)) => Err(error.clone().into()),
            _ => Ok(plugin),
        }
    }

    /// Loads the file as [`load`](Self::load) does, and leaves its schema uncompiled until it is needed: for callers that
    /// know it to be good.
    ///
    /// # Errors
    ///
    /// When it is not what its manifest says. Some of its code may have run by then.
    pub fn load_lazily(&self, admissible: &Admissible) -> Result<Plugin, LoadError> {
        let module = self.open(admissible)?;
        let level = u8::try_from(log::max_level() as usize).unwrap_or(u8::MAX);
        module.install()(host_context::functions(), level);
        let description = describe(module)?;
        let manifest = admissible.manifest();
        let is_same = description.name == manifest.name && description.version == manifest.version;
        if !is_same {
            let say = |name: &str, version| format!("`{name}` version {version}");
            return Err(LoadError::Disagree {
                manifest: say(&manifest.name, manifest.version),
                code: say(&description.name, description.version),
            });
        }
        Ok(Plugin::new(admissible, module, description))
    }

    /// Opens the private copy. One whose layout an earlier process found to fit this interface is marked so.
    fn open(&self, admissible: &Admissible) -> Result<TaskModuleRef, LoadError> {
        let identity = admissible.identity;
        let (copy, is_checked) = match self.store.find_marked(identity, INTERFACE_FINGERPRINT)? {
            Some(copy) => (copy, true),
            None => (self.keep(admissible)?, false),
        };
        let header = open(&copy)?;
        if !is_checked {
            check_layout(header, admissible.manifest().api)?;
            self.store.mark(&copy, identity, INTERFACE_FINGERPRINT);
        }
        // SAFETY: the layout was checked, just now or of the same copy earlier.
        let module = unsafe { header.init_root_module_with_unchecked_layout::<TaskModuleRef>() };
        module.map_err(|error| LoadError::RootModule(first_line(&error.to_string())))
    }
}

/// Checks the layout both ways: as `abi_stable` checks it, a host of a newer interface would refuse every older plugin.
///
/// What the manifest says of the interface spares nobody the check: a file can say anything.
fn check_layout(header: &LibHeader, plugin_version: ApiVersion) -> Result<(), LoadError> {
    let host = TaskModuleRef::LAYOUT;
    let plugin = header
        .layout()
        .ok_or_else(|| LoadError::Header("it does not describe its layout".to_owned()))?;
    // By itself, as plugins share nothing with one another: `abi_stable` would hold it against those that were checked
    // before, and after an older one it would refuse every newer one.
    let fits = |expected, found| {
        check_layout_compatibility_with_globals(expected, found, &CheckingGlobals::new())
    };
    if let Err(error) = fits(host, plugin)
        && fits(plugin, host).is_err()
    {
        return Err(LoadError::Layout {
            plugin: plugin_version,
            host: api_version(),
            details: error.to_string(),
        });
    }
    Ok(())
}

/// Opens a library for the life of the process, and finds the header of its root module.
fn open(copy: &Path) -> Result<&'static LibHeader, LoadError> {
    let flags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
    // SAFETY: the library's constructors run here. The caller decided to trust the file's owner; its bytes are in a
    // private copy that was inspected and that nobody changes.
    let library = unsafe { Library::open(Some(copy), flags) };
    let library = library.map_err(|error| LoadError::Dlopen(plain(&error, copy)))?;
    // SAFETY: abi_stable defines the symbol as a `LibHeader`, whose head `AbiHeaderRef` checks before more is read.
    let header = unsafe { library.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL) };
    let header = *header.map_err(|_| LoadError::NoRootModule)?;
    mem::forget(library);
    header
        .upgrade()
        .map_err(|error| LoadError::Header(first_line(&error.to_string())))
}

fn describe(module: TaskModuleRef) -> Result<Description, LoadError> {
    text(module.describe()())
        .and_then(|text| description(&text))
        .map_err(LoadError::Describe)
}

/// The linker's message without the name of the private copy, which means nothing to anybody.
fn plain(error: &libloading::Error, copy: &Path) -> String {
    let message = match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => error.to_string(),
    };
    let copy = copy.display().to_string();
    message
        .replace(&format!("{copy}: "), "")
        .replace(&copy, "the file")
}

fn first_line(text: &str) -> String {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or(text)
        .to_owned()
}
