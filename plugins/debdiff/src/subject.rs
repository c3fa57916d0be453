//! What is compared, in words.

use crate::input::Kind;
use serde_json::Value;
use taskbay_plugin_api::Artifact;

/// The package that both sides are of, and its version on each.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    kind: Kind,
    package: &'a str,
    original: &'a str,
    new: &'a str,
}

impl<'a> Subject<'a> {
    /// That of these artifacts. None where they are of several packages, or say nothing of that. Of source packages the
    /// original gives its name to what came of it.
    pub(crate) fn of(kind: Kind, original: &[&'a Artifact], new: &[&'a Artifact]) -> Option<Self> {
        let named = |side: &[&'a Artifact]| -> Option<Vec<_>> {
            side.iter().map(|artifact| package(artifact)).collect()
        };
        let (originals, news) = (named(original)?, named(new)?);
        let (package, original) = *originals.first()?;
        let (_, new) = *news.first()?;
        let is_one = || originals.iter().chain(&news).all(|each| each.0 == package);
        (kind == Kind::Source || is_one()).then_some(Self {
            kind,
            package,
            original,
            new,
        })
    }

    /// What the comparison is called, on that architecture.
    pub(crate) fn label(&self, architecture: Option<&str>) -> String {
        let of = match self.kind {
            Kind::Source => Some("source"),
            Kind::Binary => architecture,
        };
        let of = of.map(|of| format!(" ({of})")).unwrap_or_default();
        let (package, original, new) = (self.package, self.original, self.new);
        format!("debdiff {package}: {original} \u{2192} {new}{of}")
    }
}

/// The source package that an artifact is of, and a version: that of the source, or of what was built.
fn package(artifact: &Artifact) -> Option<(&str, &str)> {
    let data = &artifact.data;
    let (name, version) = match artifact.category.as_str() {
        "debian:source-package" => (&data["name"], &data["version"]),
        "debian:binary-package" => (&data["srcpkg_name"], &data["deb_fields"]["Version"]),
        "debian:binary-packages" => (&data["srcpkg_name"], &data["version"]),
        _ => {
            let fields = &data["changes_fields"];
            (&fields["Source"], &fields["Version"])
        }
    };
    name.as_str().zip(Value::as_str(version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::slice;

    fn label(kind: Kind, category: &str, original: &Value, new: &[Value]) -> Option<String> {
        let artifact = |data: &Value| Artifact::new(category, data.clone(), Vec::new());
        let original = artifact(original);
        let new: Vec<_> = new.iter().map(artifact).collect();
        let subject = Subject::of(kind, &[&original], &new.iter().collect::<Vec<_>>())?;
        Some(subject.label(Some("amd64")))
    }

    #[test]
    fn a_comparison_is_called_after_its_package() {
        let named = |what: &str| Some(format!("debdiff tiny: 1.0 \u{2192} 1.1 ({what})"));
        let source = |name: &str, version: &str| json!({"name": name, "version": version});
        let of = |new: Value| {
            let original = source("tiny", "1.0");
            label(Kind::Source, "debian:source-package", &original, &[new])
        };
        assert_eq!(of(source("tiny", "1.1")), named("source"));
        assert_eq!(of(source("other", "1.1")), named("source"));
        assert_eq!(of(json!({})), None);

        let deb = |name: &str, version: &str| json!({"srcpkg_name": name, "deb_fields": {"Version": version}});
        let of = |other: Value| {
            let (original, new) = (deb("tiny", "1.0"), deb("tiny", "1.1"));
            label(
                Kind::Binary,
                "debian:binary-package",
                &original,
                &[new, other],
            )
        };
        assert_eq!(of(deb("tiny", "2")), named("amd64"));
        assert_eq!(of(deb("other", "2")), None);
        assert_eq!(of(json!({})), None);

        for (category, data) in [
            (
                "debian:upload",
                json!({"changes_fields": {"Source": "tiny", "Version": "1.0"}}),
            ),
            (
                "debian:binary-packages",
                json!({"srcpkg_name": "tiny", "version": "1.0"}),
            ),
        ] {
            let label = label(Kind::Binary, category, &data, slice::from_ref(&data));
            let same = "debdiff tiny: 1.0 \u{2192} 1.0 (amd64)";
            assert_eq!(label.as_deref(), Some(same));
        }
    }
}
