//! The lintian task: checks Debian packages for mistakes.

mod kind;

mod packages;

mod tool;

mod severity;
mod tag;

mod output;

mod analysis;

use analysis::Analysis;
use kind::Kind;
use packages::Packages;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use severity::Threshold;
use std::{fs, path::Path};
use taskbay_debian::{Executor, InOptionalEnvironment, all_in_words, each_in_words, in_words};
use taskbay_plugin_api::{
    Artifact, Confinement, Context, Lookup, Lookups, Metadata, RelationKind, Requirement, Task,
    TaskConfigError, TaskError, export_task, is_available, log,
};
use tool::Selection;

/// What a lintian work request may say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(example = json!({"input": {"source_artifact": "./hello_2.10-3.dsc"}}))]
struct Lintian {
    /// What is checked.
    input: Input,
    /// Which analyses are made.
    #[serde(default)]
    output: Output,
    /// The distribution that the packages are for, as VENDOR:CODENAME.
    #[serde(default = "unstable")]
    target_distribution: String,
    /// The tags to look for; all, if none is named here.
    #[serde(default)]
    include_tags: Vec<String>,
    /// Tags not to look for. Lintian ignores them where `include_tags` names some.
    #[serde(default)]
    exclude_tags: Vec<String>,
    /// From which severity on a tag makes the task fail.
    #[serde(default)]
    fail_on_severity: Threshold,
    /// Where commands run.
    #[serde(flatten)]
    place: InOptionalEnvironment,
}

/// What is checked: a source package, binary packages, or both.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The source package: an artifact of category `debian:source-package` or `debian:upload`.
    #[serde(default)]
    source_artifact: Option<Lookup>,
    /// The binary packages: artifacts of category `debian:binary-package` or `debian:upload`.
    #[serde(default)]
    binary_artifacts: Lookups,
}

/// Which analyses are made, each where there is a package for it.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Output {
    /// Whether the source package is analysed.
    source_analysis: bool,
    /// Whether the binary packages for all architectures are analysed.
    binary_all_analysis: bool,
    /// Whether the binary packages for one architecture are analysed.
    binary_any_analysis: bool,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            source_analysis: true,
            binary_all_analysis: true,
            binary_any_analysis: true,
        }
    }
}

impl Output {
    fn has(&self, kind: &Kind) -> bool {
        match kind {
            Kind::Source => self.source_analysis,
            Kind::BinaryAll => self.binary_all_analysis,
            Kind::BinaryAny(_) => self.binary_any_analysis,
        }
    }
}

fn unstable() -> String {
    "debian:unstable".to_owned()
}

impl Task for Lintian {
    const NAME: &'static str = "lintian";
    const VERSION: u32 = 1;

    fn analyze_worker(_: &Metadata) -> Result<Metadata, TaskError> {
        let mut found = Metadata::default();
        found.insert("lintian:available", is_available("lintian"));
        Ok(found)
    }

    fn check(&self) -> Vec<TaskConfigError> {
        let input = &self.input;
        if input.source_artifact.is_some() || !input.binary_artifacts.is_empty() {
            return Vec::new();
        }
        vec![TaskConfigError::new(
            "/input",
            "needs `source_artifact` or `binary_artifacts`, or both",
        )]
    }

    fn requirements(&self) -> Vec<Requirement> {
        self.place.requirements(vec![
            Requirement::equals("lintian:available", true)
                .because("lintian is not installed on the worker"),
        ])
    }

    /// Strict on the worker itself; unpacking an environment takes privileges.
    fn confinement(&self) -> Confinement {
        self.place.confinement()
    }

    fn label(&self) -> Option<String> {
        let packages = self.input.source_artifact.iter().map(in_words);
        let packages = packages.chain(each_in_words(&self.input.binary_artifacts));
        Some(format!("check {} for mistakes", all_in_words(packages)))
    }

    fn execute(&self, context: &Context) -> Result<bool, TaskError> {
        let executor = self.place.executor(context, &["lintian"])?;
        let packages = Packages::fetch(&executor, &self.input)?;
        let version = tool::version(&executor)?;
        let mut success = true;
        for kind in packages.kinds() {
            if self.output.has(kind) {
                let analysis = self.analyze(context, &executor, kind, &packages, &version)?;
                success &= !analysis.reaches(self.fail_on_severity);
            }
        }
        Ok(success)
    }
}

impl Lintian {
    /// Analyses the packages of one kind, and gives the analysis to the server.
    fn analyze(
        &self,
        context: &Context,
        executor: &Executor<'_>,
        kind: &Kind,
        packages: &Packages,
        version: &str,
    ) -> Result<Analysis, TaskError> {
        let directory = executor.directory(Path::new("analysis").join(kind.name()))?;
        let files = packages.of_kind(kind);
        let selection = Selection {
            include: &self.include_tags,
            exclude: &self.exclude_tags,
        };
        let output = directory.join("lintian.txt");
        let text = tool::run(executor, &selection, &files, &output)?;
        let tags = output::parse(&output, &text)?;
        log::info!("{}: {} tags", kind.name(), tags.len());

        let analysis = Analysis::new(tags, &files, version, &self.target_distribution);
        let report = directory.join("analysis.json");
        fs::write(&report, serde_json::to_vec_pretty(&analysis)?).map_err(|error| {
            TaskError::new(format!("cannot write {}: {error}", report.display()))
        })?;

        let server = context.server();
        let data = json!({"architecture": kind.architecture(), "summary": analysis.summary()});
        let artifact =
            server.upload(Artifact::new("debian:lintian", data, vec![report, output]))?;
        // Debusine relates each analysis to all that was asked about.
        let targets = packages.artifacts();
        server.relate_all(artifact, RelationKind::RelatesTo, targets)?;
        Ok(analysis)
    }
}

export_task!(Lintian);

#[cfg(test)]
mod tests;
