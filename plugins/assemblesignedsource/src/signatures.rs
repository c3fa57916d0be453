//! What a signing service gave.

use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use taskbay_debian::{Executor, FileToSign, Input, SigningTemplate, some};
use taskbay_plugin_api::{ArtifactId, Lookups, TaskConfigError, TaskError};

/// How the template asks for signatures that UEFI firmware checks, the only ones that are taken.
const SIG_TYPE: &str = "efi";
/// What the keys are for that make them.
const PURPOSE: &str = "uefi";

/// Signatures, by the names of what was signed: that of the package, and then the path in it.
#[derive(Debug)]
pub(crate) struct Signatures {
    files: BTreeMap<String, PathBuf>,
    artifacts: Vec<ArtifactId>,
}

/// The data of a `debusine:signing-output`. It says more, which is for others.
#[derive(Deserialize)]
struct SigningOutput {
    #[serde(default)]
    purpose: Option<String>,
    results: Vec<Signed>,
}

/// What became of one file of the `debusine:signing-input`.
#[derive(Deserialize)]
struct Signed {
    file: String,
    #[serde(default)]
    output_file: Option<String>,
    #[serde(default)]
    error_message: Option<String>,
}

impl Signatures {
    /// Fetches those that stand at `/signed` in the task data.
    pub(crate) fn fetch(executor: &Executor<'_>, lookups: &Lookups) -> Result<Self, TaskError> {
        let mut signatures = Self {
            files: BTreeMap::new(),
            artifacts: Vec::new(),
        };
        let (named, categories) = (("/signed", lookups), ["debusine:signing-output"]);
        let inputs = Input::fetch_all_for(executor, named, &categories, "signed")?;
        for input in some(named.0, inputs)? {
            signatures.artifacts.push(input.id);
            signatures
                .add(&input)
                .map_err(|why| TaskConfigError::new(input.pointer(), why))?;
        }
        Ok(signatures)
    }

    /// Adds those of one artifact, or says what is wrong with it.
    fn add(&mut self, input: &Input) -> Result<(), String> {
        let artifact = &input.artifact;
        let output = SigningOutput::deserialize(&artifact.data)
            .map_err(|error| format!("its data is none of signatures: {error}"))?;
        if let Some(purpose) = output.purpose.filter(|purpose| purpose != PURPOSE) {
            return Err(format!(
                "was signed with a key for `{purpose}`; only `{PURPOSE}` is taken"
            ));
        }
        for Signed {
            file,
            output_file,
            error_message,
        } in output.results
        {
            if let Some(message) = error_message {
                return Err(format!("`{file}` was not signed: {message}"));
            }
            let name = output_file.ok_or_else(|| format!("`{file}` has no `output_file`"))?;
            let mut files = artifact.files.iter();
            let signature = files
                .find(|path| artifact.name(path) == Some(Path::new(&name)))
                .ok_or_else(|| format!("has no file `{name}`, the signature of `{file}`"))?;
            if self.files.contains_key(&file) {
                return Err(format!("has a second signature of `{file}`; give one"));
            }
            self.files.insert(file, signature.clone());
        }
        Ok(())
    }

    /// Those that the template asks for, by the names of what was signed.
    pub(crate) fn wanted(
        &self,
        template: &SigningTemplate,
    ) -> Result<Vec<(String, &Path)>, TaskError> {
        let mut wanted = Vec::new();
        for (package, to_sign) in &template.packages {
            for FileToSign { file, sig_type } in &to_sign.files {
                if sig_type.as_deref() != Some(SIG_TYPE) {
                    let found = sig_type.as_deref().unwrap_or("none");
                    return Err(TaskConfigError::new(
                        "/template",
                        format!(
                            "asks for a signature of `{file}` of the type `{found}`; only `{SIG_TYPE}` is taken"
                        ),
                    )
                    .into());
                }
                let name = format!("{package}/{file}");
                let signature = self.files.get(&name).ok_or_else(|| {
                    let message = format!("has no signature of `{name}`, which the template names");
                    TaskConfigError::new("/signed", message)
                })?;
                wanted.push((name, signature.as_path()));
            }
        }
        Ok(wanted)
    }

    /// The artifacts that they are of.
    pub(crate) fn artifacts(&self) -> impl Iterator<Item = ArtifactId> {
        self.artifacts.iter().copied()
    }
}
