//! The mergeuploads task: makes one upload of several of one version of a source package.

mod upload;

mod merge;

use merge::merge;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs};
use taskbay_debian::{
    Input as Fetched, all_in_words, each_in_words, give_upload, some, write_file,
};
use taskbay_plugin_api::{
    Confinement, Context, Lookups, Task, TaskConfigError, TaskError, export_task, log,
    make_directory,
};
use upload::Upload;

/// What a mergeuploads work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = json!({
    "input": {"uploads": ["./hello_2.10-3_source.changes", "./hello_2.10-3_amd64.changes"]}
}))]
struct Mergeuploads {
    /// What is merged.
    input: Input,
    /// Kept for the server; the task itself ignores it.
    #[serde(default)]
    task_configuration: Option<Value>,
}

/// What is merged.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The uploads: artifacts of category `debian:upload`, of one version of one source package. What can be said once only,
    /// as the distribution, is that of the first one.
    uploads: Lookups,
}

impl Task for Mergeuploads {
    const NAME: &'static str = "mergeuploads";
    const VERSION: u32 = 1;

    fn check(&self) -> Vec<TaskConfigError> {
        if self.input.uploads.is_empty() {
            return vec![TaskConfigError::new("/input/uploads", "names no upload")];
        }
        Vec::new()
    }

    fn confinement(&self) -> Confinement {
        Confinement::Strict
    }

    fn label(&self) -> Option<String> {
        Some(format!(
            "merge {}",
            all_in_words(each_in_words(&self.input.uploads))
        ))
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        let named = ("/input/uploads", &self.input.uploads);
        let fetched = Fetched::fetch_all(context, named, &["debian:upload"], "uploads")?;
        let fetched = some(named.0, fetched)?;
        let uploads = fetched
            .iter()
            .map(Upload::of)
            .collect::<Result<Vec<_>, _>>()?;
        let (name, text) = merge(&uploads)?;

        let directory = make_directory(context, "merged")?;
        for file in uploads.iter().flat_map(|upload| &upload.files) {
            // What two uploads have is the same in both, since their checksums agree.
            let to = directory.join(file.file_name().unwrap_or_default());
            fs::rename(file, &to).map_err(|error| {
                let (file, to) = (file.display(), to.display());
                TaskError::new(format!("cannot move {file} to {to}: {error}"))
            })?;
        }
        let changes = directory.join(name);
        write_file(&changes, &text)?;
        log::info!("merged {} uploads: {}", uploads.len(), changes.display());
        // A set, since one may be named twice.
        let merged: BTreeSet<_> = uploads.iter().map(|upload| upload.id).collect();
        give_upload(context, &changes, &Vec::from_iter(merged))?;
        Ok(true)
    }
}

export_task!(Mergeuploads);

#[cfg(test)]
mod tests;
