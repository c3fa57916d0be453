//! What lintian found, as `analysis.json` holds it.

use crate::{
    severity::{Severity, Threshold},
    tag::Tag,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// What lintian found in the packages of one kind.
#[derive(Debug, Serialize)]
pub(crate) struct Analysis {
    tags: Vec<Tag>,
    summary: Summary,
    /// The version of the file's format.
    version: &'static str,
}

/// What lintian found, counted.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// How many tags there are of each severity, also where there are none.
    tags_count_by_severity: BTreeMap<Severity, usize>,
    /// From the name of each package to that of its file.
    package_filename: BTreeMap<String, String>,
    /// The tags that nobody has overridden.
    tags_found: BTreeSet<String>,
    overridden_tags_found: BTreeSet<String>,
    lintian_version: String,
    /// The distribution that the packages are for.
    distribution: String,
}

impl Analysis {
    /// What `tags` mean for the packages in these files.
    pub(crate) fn new(
        tags: Vec<Tag>,
        files: &[&Path],
        lintian_version: &str,
        distribution: &str,
    ) -> Self {
        let names = |overridden: bool| {
            let chosen = tags
                .iter()
                .filter(|tag| (tag.severity == Severity::Overridden) == overridden);
            chosen.map(|tag| tag.name.clone()).collect()
        };
        let count = |severity| tags.iter().filter(|tag| tag.severity == severity).count();
        let summary = Summary {
            tags_count_by_severity: Severity::ALL
                .map(|severity| (severity, count(severity)))
                .into(),
            package_filename: files.iter().filter_map(|file| package_name(file)).collect(),
            tags_found: names(false),
            overridden_tags_found: names(true),
            lintian_version: lintian_version.to_owned(),
            distribution: distribution.to_owned(),
        };
        Self {
            tags,
            summary,
            version: "1.0",
        }
    }

    /// The summary.
    pub(crate) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Whether a tag makes the task fail.
    pub(crate) fn reaches(&self, threshold: Threshold) -> bool {
        let mut tags = self.tags.iter();
        tags.any(|tag| threshold.is_reached_by(tag.severity))
    }
}

/// The name of a package, which comes first in the name of its file, and the latter.
fn package_name(file: &Path) -> Option<(String, String)> {
    let file = file.file_name()?.to_str()?;
    let name = file.split('_').next()?;
    Some((name.to_owned(), file.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tag(name: &str, severity: Severity) -> Tag {
        Tag {
            package: "hello".into(),
            severity,
            name: name.into(),
            note: String::new(),
            pointer: String::new(),
            explanation: String::new(),
            comment: String::new(),
        }
    }

    #[test]
    fn counts_and_lists_tags() {
        let tags = vec![
            tag("b", Severity::Warning),
            tag("a", Severity::Warning),
            tag("a", Severity::Info),
            tag("c", Severity::Overridden),
        ];
        let file = Path::new("/in/hello_1.0-1_amd64.deb");
        let analysis = Analysis::new(tags, &[file], "2.116.3", "debian:bookworm");
        assert_eq!(
            serde_json::to_value(analysis.summary()).unwrap(),
            json!({
                "tags_count_by_severity": {
                    "error": 0,
                    "warning": 2,
                    "info": 1,
                    "pedantic": 0,
                    "experimental": 0,
                    "overridden": 1,
                    "classification": 0,
                },
                "package_filename": {"hello": "hello_1.0-1_amd64.deb"},
                "tags_found": ["a", "b"],
                "overridden_tags_found": ["c"],
                "lintian_version": "2.116.3",
                "distribution": "debian:bookworm",
            })
        );
        let whole = serde_json::to_value(&analysis).unwrap();
        assert_eq!(whole["version"], "1.0");
        assert_eq!(
            whole["tags"][3],
            json!({
                "tag": "c",
                "severity": "overridden",
                "package": "hello",
                "note": "",
                "pointer": "",
                "explanation": "",
                "comment": "",
            })
        );
    }

    #[test]
    fn overridden_tags_count_only_where_asked() {
        let overridden = || {
            vec![
                tag("a", Severity::Overridden),
                tag("b", Severity::Classification),
            ]
        };
        let analysis = Analysis::new(overridden(), &[], "", "");
        assert!(!analysis.reaches(Threshold::Experimental));
        assert!(analysis.reaches(Threshold::Overridden));
        let mut tags = overridden();
        tags.push(tag("c", Severity::Warning));
        let analysis = Analysis::new(tags, &[], "", "");
        assert!(!analysis.reaches(Threshold::Error));
        assert!(analysis.reaches(Threshold::Warning));
        assert!(!analysis.reaches(Threshold::None));
    }
}
