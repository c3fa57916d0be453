//! A task behind the real loader: what crosses between a plugin and its host crosses here too.

use crate::{Execution, execution::execution, logs::listen};
use serde_json::Value;
use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};
use taskbay_core::{Requirement, Verdict};
use taskbay_loader::{
    Catalog, ConfigureError, ConfiguredTask, Loader, Plugin, State, Store, TrustPolicy,
};
use taskbay_plugin_api::{
    Artifact, Confinement, Metadata, TaskConfigError, TaskError, host::Fault,
};
use tempfile::TempDir;

/// A plugin, loaded into this process. It stays loaded until the process ends.
pub struct LoadedTask {
    plugin: Plugin,
}

/// A task of a loaded plugin with valid data.
pub struct LoadedConfigured<'t> {
    task: ConfiguredTask<'t>,
}

impl LoadedTask {
    /// Loads a plugin file.
    pub fn load(file: &Path) -> Self {
        listen();
        let copies = TempDir::new().unwrap();
        // Whoever tests a plugin has built it.
        let catalog = Catalog::of_file(file, TrustPolicy::Anyone);
        let State::Usable(admissible) = &catalog.entries[0].state else {
            panic!("{:?}", catalog.entries[0].row());
        };
        let loader = Loader::new(Store::in_directory(copies.path().join("plugins")));
        let plugin = loader.load(admissible);
        Self {
            plugin: plugin.unwrap_or_else(|error| panic!("{}: {error}", file.display())),
        }
    }

    /// Builds the package of that name with cargo, in the directory where its `Cargo.toml` is, and loads the plugin that it
    /// makes: `LoadedTask::build(env!("CARGO_MANIFEST_DIR"), env!("CARGO_PKG_NAME"))`.
    pub fn build(directory: impl AsRef<Path>, package: &str) -> Self {
        Self::load(&build(directory.as_ref(), package))
    }

    /// The task's version.
    pub fn version(&self) -> u32 {
        self.plugin.version()
    }

    /// The JSON Schema of the task data; none takes any JSON value.
    pub fn schema(&self) -> Option<&Value> {
        self.plugin.schema()
    }

    /// What the plugin says of a worker of which that is `known`, the version that its host adds included.
    pub fn analyze(&self, known: &Metadata) -> Metadata {
        let analysis = self.plugin.analyze(known).unwrap();
        assert_eq!(analysis.dropped, Vec::<String>::new(), "keys of others");
        analysis.metadata
    }

    /// Configures the task.
    ///
    /// # Errors
    ///
    /// Every fault that a host would report.
    pub fn configure(&self, data: &Value) -> Result<LoadedConfigured<'_>, Vec<TaskConfigError>> {
        match self.plugin.configure(&data.to_string()) {
            Ok(task) => Ok(LoadedConfigured { task }),
            Err(ConfigureError::Invalid(faults)) => Err(faults),
            Err(error) => panic!("{error}"),
        }
    }
}

impl LoadedConfigured<'_> {
    /// The task data with all defaults filled in.
    pub fn data(&self) -> Value {
        serde_json::from_str(self.task.data()).unwrap()
    }

    /// What a worker must fulfil, next to what is implied.
    pub fn requirements(&self) -> &[Requirement] {
        self.task.requirements()
    }

    /// How little of a worker it can live with. It is not confined here: that takes a worker.
    pub fn confinement(&self) -> Confinement {
        self.task.declared().unwrap().confinement
    }

    /// What it does, in a line, where it says more than its name.
    pub fn label(&self) -> Option<String> {
        self.task.declared().unwrap().label
    }

    /// Whether a worker suits, with the reasons if not.
    pub fn verdict(&self, worker: &Metadata) -> Verdict {
        let worker = self.task.plugin().worker(Arc::new(worker.clone()));
        self.task.verdict(&worker)
    }

    /// Executes the task where these artifacts are 1, 2, …
    pub fn execute(&self, artifacts: Vec<Artifact>) -> Execution {
        execution(artifacts, |context| {
            self.task.execute(context).unwrap().map_err(error)
        })
    }
}

/// As the task returned it.
fn error(fault: Fault) -> TaskError {
    match fault {
        Fault::Config { mut errors } if errors.len() == 1 => errors.remove(0).into(),
        fault => TaskError::new(fault.to_string()),
    }
}

/// Builds a plugin with cargo, as `cargo test` does not, and gives its file.
fn build(directory: &Path, package: &str) -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--message-format=json", "-p", package])
        .current_dir(directory)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{package} cannot be built: {said}");
    let messages = String::from_utf8(built.stdout).unwrap();
    let mut libraries = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_ours =
            message["manifest_path"].as_str()? == directory.join("Cargo.toml").to_str()?;
        let files = message["filenames"].as_array()?.clone();
        let library = files.iter().filter_map(Value::as_str);
        let library = library
            .map(PathBuf::from)
            .find(|file| file.extension().is_some_and(|extension| extension == "so"))?;
        is_ours.then_some(library)
    });
    let library = libraries.next();
    library.unwrap_or_else(|| panic!("{package} makes no plugin: its crate-type is not cdylib"))
}

impl fmt::Debug for LoadedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plugin.fmt(f)
    }
}

impl fmt::Debug for LoadedConfigured<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.fmt(f)
    }
}
