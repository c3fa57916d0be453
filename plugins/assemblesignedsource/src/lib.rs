//! The assemblesignedsource task: makes a source package of a template and the signatures that it asks for.

mod signatures;

mod assembly;

use assembly::Assembly;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use signatures::Signatures;
use taskbay_debian::{
    InOptionalEnvironment, Meaning, SigningTemplate, artifact_of_file, give_upload, in_words,
    is_success,
};
use taskbay_plugin_api::{
    Confinement, Context, Lookup, Lookups, Metadata, RelationKind, Requirement, Task,
    TaskConfigError, TaskError, export_task, is_available,
};

/// What an assemblesignedsource work request may say; the only `backend` that it takes is `auto`.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(example = json!({
    "environment": "debian/match:codename=trixie",
    "template": 12,
    "signed": [15, 16]
}))]
struct AssembleSignedSource {
    /// The template package, with `/usr/share/code-signing/NAME/source-template` in it: an artifact of category
    /// `debian:binary-package`.
    template: Lookup,
    /// The signatures of the files that the template names: artifacts of category `debusine:signing-output`.
    signed: Lookups,
    /// Where commands run.
    #[serde(flatten)]
    place: InOptionalEnvironment,
}

impl Task for AssembleSignedSource {
    const NAME: &'static str = "assemblesignedsource";
    const VERSION: u32 = 1;

    fn analyze_worker(_: &Metadata) -> Result<Metadata, TaskError> {
        let mut tools = ["dpkg-deb", "dpkg-source", "dpkg-genchanges"].into_iter();
        let mut found = Metadata::default();
        found.insert("assemblesignedsource:available", tools.all(is_available));
        Ok(found)
    }

    fn check(&self) -> Vec<TaskConfigError> {
        let mut faults = Vec::from_iter(self.place.another_than_auto());
        if self.signed.is_empty() {
            faults.push(TaskConfigError::new("/signed", "names no signatures"));
        }
        faults
    }

    fn requirements(&self) -> Vec<Requirement> {
        self.place.requirements(vec![
            Requirement::equals("assemblesignedsource:available", true).because(
                "dpkg-source and dpkg-genchanges, of the package dpkg-dev, are not installed on the \
                 worker",
            ),
        ])
    }

    /// Strict on the worker itself; unpacking an environment takes privileges.
    fn confinement(&self) -> Confinement {
        self.place.confinement()
    }

    fn label(&self) -> Option<String> {
        let template = in_words(&self.template);
        Some(format!("assemble the signed source package of {template}"))
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        let executor = self.place.executor(context, &["dpkg-dev"])?;
        let template = SigningTemplate::fetch(&executor, ("/template", &self.template))?;
        let signatures = Signatures::fetch(&executor, &self.signed)?;
        let wanted = signatures.wanted(&template)?;

        let assembly = Assembly::of_template(&executor, &template)?;
        for (name, signature) in wanted {
            assembly.add_signature(&name, signature)?;
        }
        if !is_success("dpkg-source", assembly.build()?, meaning)? {
            return Ok(false);
        }
        let dsc = assembly.take_source_package()?;
        let (status, changes) = assembly.describe_upload(&dsc)?;
        if !is_success("dpkg-genchanges", status, meaning)? {
            return Ok(false);
        }

        let server = context.server();
        let artifact = server.upload(artifact_of_file(&dsc)?)?;
        let parts = signatures.artifacts().chain([template.package.artifact]);
        server.relate_all(artifact, RelationKind::BuiltUsing, parts)?;
        give_upload(context, &changes, &[artifact])?;
        Ok(true)
    }
}

/// What the status of dpkg's tools means: they have one for all that they cannot do.
fn meaning(code: i32) -> Meaning {
    match code {
        0 => Meaning::Success,
        _ => Meaning::Failure("the template makes no source package"),
    }
}

export_task!(AssembleSignedSource);

#[cfg(test)]
mod tests;
