//! Artifacts that a task's data names, of the categories that it may.

use crate::Executor;
use std::path::{Path, PathBuf};
use taskbay_plugin_api::{
    Artifact, ArtifactId, Context, Lookup, Lookups, Selected, TaskConfigError, TaskError,
    make_directory,
};

/// The categories of artifacts with a source package.
pub const SOURCES: &[&str] = &["debian:source-package", "debian:upload"];
/// The categories of artifacts with binary packages.
pub const BINARIES: &[&str] = &[
    "debian:binary-package",
    "debian:binary-packages",
    "debian:upload",
];

/// The most artifacts that one key of the task data may name.
const MOST_INPUTS: usize = 10_000;

/// An artifact that has been fetched.
#[derive(Debug)]
pub struct Input {
    /// Its number.
    pub id: ArtifactId,
    /// The artifact, its files where they lie.
    pub artifact: Artifact,
    pointer: String,
}

impl Input {
    /// Fetches the artifact that the task data names at `pointer` into `directory`, in the work directory.
    ///
    /// # Errors
    ///
    /// When there is none, or it is of none of those categories.
    pub fn fetch(
        context: &Context,
        (pointer, lookup): (&str, &Lookup),
        categories: &[&str],
        directory: impl AsRef<Path>,
    ) -> Result<Self, TaskError> {
        let directory = make_directory(context, directory)?;
        let fetched = context.server().fetch(lookup, &directory)?;
        Self::accept(fetched, (pointer, lookup), categories)
    }

    /// Fetches it as [`fetch`](Self::fetch) does, to where the commands of `executor` can read it.
    ///
    /// # Errors
    ///
    /// As [`fetch`](Self::fetch).
    pub fn fetch_for(
        executor: &Executor<'_>,
        (pointer, lookup): (&str, &Lookup),
        categories: &[&str],
        directory: impl AsRef<Path>,
    ) -> Result<Self, TaskError> {
        let fetched = executor.fetch(lookup, directory)?;
        Self::accept(fetched, (pointer, lookup), categories)
    }

    fn accept(
        (id, artifact): (ArtifactId, Artifact),
        (pointer, lookup): (&str, &Lookup),
        categories: &[&str],
    ) -> Result<Self, TaskError> {
        check_category(&artifact, (pointer, lookup), categories)?;
        Ok(Self {
            id,
            artifact,
            pointer: pointer.to_owned(),
        })
    }

    /// Fetches all artifacts that the task data names at `pointer`, each into a directory of its own below `directory`.
    ///
    /// # Errors
    ///
    /// As [`fetch`](Self::fetch), and when the server cannot say what a query finds.
    pub fn fetch_all(
        context: &Context,
        named: (&str, &Lookups),
        categories: &[&str],
        directory: impl AsRef<Path>,
    ) -> Result<Vec<Self>, TaskError> {
        each(context, named, directory.as_ref(), |place, directory| {
            Self::fetch(context, place, categories, directory)
        })
    }

    /// Fetches them as [`fetch_all`](Self::fetch_all) does, to where the commands of `executor` can read them.
    ///
    /// # Errors
    ///
    /// As [`fetch_all`](Self::fetch_all).
    pub fn fetch_all_for(
        executor: &Executor<'_>,
        named: (&str, &Lookups),
        categories: &[&str],
        directory: impl AsRef<Path>,
    ) -> Result<Vec<Self>, TaskError> {
        let context = executor.context;
        each(context, named, directory.as_ref(), |place, directory| {
            Self::fetch_for(executor, place, categories, directory)
        })
    }

    /// Where it stands in the task data.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Its files with one of these endings.
    pub fn files(&self, endings: &[&str]) -> Vec<&Path> {
        let files = self.artifact.files.iter().map(PathBuf::as_path);
        let ends_so = |file: &&Path| {
            let ending = file.extension().unwrap_or_default();
            endings.iter().any(|wanted| ending == *wanted)
        };
        files.filter(ends_so).collect()
    }

    /// Its first file with that ending.
    ///
    /// # Errors
    ///
    /// When it has none.
    pub fn file(&self, ending: &str) -> Result<&Path, TaskError> {
        self.files(&[ending]).first().copied().ok_or_else(|| {
            let message = format!("the artifact has no `.{ending}` file");
            TaskConfigError::new(&self.pointer, message).into()
        })
    }

    /// Its `.dsc`.
    ///
    /// # Errors
    ///
    /// When it has none.
    pub fn dsc(&self) -> Result<&Path, TaskError> {
        self.file("dsc")
    }

    /// Its binary packages.
    ///
    /// # Errors
    ///
    /// When it has none.
    pub fn packages(&self) -> Result<Vec<&Path>, TaskError> {
        let packages = self.files(&["deb", "udeb"]);
        if packages.is_empty() {
            let message = "the artifact has no `.deb` or `.udeb` file";
            return Err(TaskConfigError::new(&self.pointer, message).into());
        }
        Ok(packages)
    }
}

/// Whether an artifact that the task data names at `pointer` is of one of those categories.
pub(crate) fn check_category(
    artifact: &Artifact,
    (pointer, lookup): (&str, &Lookup),
    categories: &[&str],
) -> Result<(), TaskConfigError> {
    if categories.contains(&artifact.category.as_str()) {
        return Ok(());
    }
    let message = format!(
        "`{lookup}` is an artifact of category `{}`, and must be one of these: {}",
        artifact.category,
        categories.join(", ")
    );
    Err(TaskConfigError::new(pointer, message))
}

/// Fetches each of what is named, with its place in the task data, into a directory of its own. What a query finds stands
/// where the query does.
fn each(
    context: &Context,
    (pointer, lookups): (&str, &Lookups),
    directory: &Path,
    fetch: impl Fn((&str, &Lookup), PathBuf) -> Result<Input, TaskError>,
) -> Result<Vec<Input>, TaskError> {
    let mut inputs: Vec<Input> = Vec::new();
    for (place, selected) in lookups.iter() {
        let pointer = format!("{pointer}{place}");
        let found: Vec<Lookup> = match selected {
            Selected::Lookup(lookup) => vec![lookup.clone()],
            Selected::Query(query) => {
                let ids = context.server().find(query)?;
                ids.into_iter().map(Lookup::Id).collect()
            }
        };
        for lookup in &found {
            // What several name is taken once.
            if inputs.iter().any(|input| *lookup == Lookup::Id(input.id)) {
                continue;
            }
            if inputs.len() == MOST_INPUTS {
                let message = format!("names more than {MOST_INPUTS} artifacts; ask for less");
                return Err(TaskConfigError::new(&pointer, message).into());
            }
            let directory = directory.join(inputs.len().to_string());
            inputs.push(fetch((&pointer, lookup), directory)?);
        }
    }
    Ok(inputs)
}

/// Refuses to go on without any of what the task data names at `pointer`: queries may find nothing.
///
/// # Errors
///
/// When there is none.
pub fn some(pointer: &str, inputs: Vec<Input>) -> Result<Vec<Input>, TaskConfigError> {
    if inputs.is_empty() {
        let message = "finds no artifact; name one, or ask for less";
        return Err(TaskConfigError::new(pointer, message));
    }
    Ok(inputs)
}

/// The binary packages of all these.
///
/// # Errors
///
/// When one has none.
pub fn files_of(inputs: &[Input]) -> Result<Vec<PathBuf>, TaskError> {
    let mut files = Vec::new();
    for input in inputs {
        files.extend(input.packages()?.into_iter().map(Path::to_owned));
    }
    Ok(files)
}
