//! The extractforsigning task: takes the files out of binary packages that are to be signed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{collections::BTreeMap, path::Path};
use taskbay_debian::{
    BINARIES, Executor, FileToSign, InOptionalEnvironment, Input, SigningTemplate, UnpackedPackage,
    in_words, some,
};
use taskbay_plugin_api::{
    Artifact, Confinement, Context, Lookup, Lookups, Metadata, RelationKind, Requirement, Task,
    TaskConfigError, TaskError, export_task, is_available,
};

/// Where the files are put, each with the name of its package before its path, as whoever signs names them.
const TAKEN: &str = "signing-input";

/// What an extractforsigning work request may say; the only `backend` that it takes is `auto`.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(example = json!({
    "input": {
        "template_artifact": "./grub-efi-amd64-signed-template_2.06-13_amd64.deb",
        "binary_artifacts": ["./grub-efi-amd64-bin_2.06-13_amd64.deb"]
    }
}))]
struct ExtractForSigning {
    /// What is taken out, and of what.
    input: Packages,
    /// Where commands run.
    #[serde(flatten)]
    place: InOptionalEnvironment,
}

/// What is taken out, and of what.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Packages {
    /// The template package, whose `/usr/share/code-signing/NAME/files.json` names the files: an artifact of category
    /// `debian:binary-package`.
    template_artifact: Lookup,
    /// The packages that have these files: artifacts of category `debian:binary-package`, `debian:binary-packages` or
    /// `debian:upload`.
    binary_artifacts: Lookups,
}

impl Task for ExtractForSigning {
    const NAME: &'static str = "extractforsigning";
    const VERSION: u32 = 1;

    fn analyze_worker(_: &Metadata) -> Result<Metadata, TaskError> {
        let mut found = Metadata::default();
        found.insert("extractforsigning:available", is_available("dpkg-deb"));
        Ok(found)
    }

    fn check(&self) -> Vec<TaskConfigError> {
        let mut faults = Vec::from_iter(self.place.another_than_auto());
        if self.input.binary_artifacts.is_empty() {
            let message = "names no package to take files out of";
            faults.push(TaskConfigError::new("/input/binary_artifacts", message));
        }
        faults
    }

    fn requirements(&self) -> Vec<Requirement> {
        self.place.requirements(vec![
            Requirement::equals("extractforsigning:available", true)
                .because("dpkg-deb, of the package dpkg, is not installed on the worker"),
        ])
    }

    /// Strict on the worker itself; unpacking an environment takes privileges.
    fn confinement(&self) -> Confinement {
        self.place.confinement()
    }

    fn label(&self) -> Option<String> {
        let template = in_words(&self.input.template_artifact);
        Some(format!("extract what is to be signed by {template}"))
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        let executor = self.place.executor(context, &["dpkg"])?;
        let lookup = &self.input.template_artifact;
        let template = SigningTemplate::fetch(&executor, ("/input/template_artifact", lookup))?;
        let packages = self.unpack(&executor, &template)?;

        // All of them are there before the first one is given away.
        let root = executor.directory(TAKEN)?;
        let mut inputs = Vec::new();
        for (name, to_sign) in &template.packages {
            let package = packages.get(name).ok_or_else(|| {
                let message = format!("has no package `{name}`, of which the template names files");
                TaskConfigError::new("/input/binary_artifacts", message)
            })?;
            let files = to_sign.files.iter().map(|FileToSign { file, .. }| {
                package.take(&executor, file, Path::new(TAKEN).join(name).join(file))
            });
            let files = files.collect::<Result<_, _>>()?;
            let data = json!({"trusted_certs": to_sign.trusted_certs, "binary_package_name": name});
            let artifact = Artifact::new("debusine:signing-input", data, files).with_root(&root);
            inputs.push((artifact, package.artifact));
        }
        let server = context.server();
        for (artifact, package) in inputs {
            let artifact = server.upload(artifact)?;
            let targets = [template.package.artifact, package];
            server.relate_all(artifact, RelationKind::RelatesTo, targets)?;
        }
        Ok(true)
    }
}

impl ExtractForSigning {
    /// Unpacks those of the packages that the template names, by their names.
    fn unpack(
        &self,
        executor: &Executor<'_>,
        template: &SigningTemplate,
    ) -> Result<BTreeMap<String, UnpackedPackage>, TaskError> {
        let mut packages = BTreeMap::new();
        let named = ("/input/binary_artifacts", &self.input.binary_artifacts);
        let inputs = Input::fetch_all_for(executor, named, BINARIES, "packages")?;
        for input in some(named.0, inputs)? {
            for deb in input.packages()? {
                let name = UnpackedPackage::name_in(executor, input.pointer(), deb)?;
                if !template.packages.contains_key(&name) || packages.contains_key(&name) {
                    continue;
                }
                let own_name = format!("package-{name}");
                let package =
                    UnpackedPackage::unpack(executor, (input.id, name.clone(), deb), &own_name)?;
                packages.insert(name, package);
            }
        }
        Ok(packages)
    }
}

export_task!(ExtractForSigning);

#[cfg(test)]
mod tests;
