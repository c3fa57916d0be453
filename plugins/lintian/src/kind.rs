//! The kinds of packages, each of which gets an analysis of its own.

use std::path::Path;

/// What kind of package a file is. Analyses come in this order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A source package, by its `.dsc`.
    Source,
    /// A binary package for all architectures.
    BinaryAll,
    /// A binary package for that architecture.
    BinaryAny(String),
}

impl Kind {
    /// The kind of a file, by its name; none where lintian shall not look at it.
    pub(crate) fn of(file: &Path) -> Option<Self> {
        let stem = file.file_stem()?.to_str()?;
        match file.extension()?.to_str()? {
            "dsc" => Some(Self::Source),
            // As NAME_VERSION_ARCHITECTURE.
            "deb" | "udeb" => Some(match stem.split('_').nth(2) {
                Some("all") => Self::BinaryAll,
                Some(architecture) => Self::BinaryAny(architecture.to_owned()),
                None => Self::BinaryAny("any".to_owned()),
            }),
            _ => None,
        }
    }

    /// The architecture that the analysis is about, in Debusine's words.
    pub(crate) fn architecture(&self) -> &str {
        match self {
            Self::Source => "source",
            Self::BinaryAll => "all",
            Self::BinaryAny(architecture) => architecture,
        }
    }

    /// A name for the analysis.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Source => self.architecture().to_owned(),
            Self::BinaryAll | Self::BinaryAny(_) => format!("binary-{}", self.architecture()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_kinds_by_the_name() {
        let of = |name: &str| Kind::of(Path::new(name));
        let any = |architecture: &str| Some(Kind::BinaryAny(architecture.to_owned()));
        assert_eq!(of("/a_all.deb/hello_1.0-1.dsc"), Some(Kind::Source));
        assert_eq!(of("hello-doc_1.0-1_all.deb"), Some(Kind::BinaryAll));
        assert_eq!(of("hello_1.0-1_amd64.deb"), any("amd64"));
        assert_eq!(of("hello-udeb_1.0-1_arm64.udeb"), any("arm64"));
        assert_eq!(of("hello.deb"), any("any"));
        assert_eq!(of("hello-udeb_1.0-1_all.udeb"), Some(Kind::BinaryAll));
        assert_eq!(of("hello_1.0-1_amd64.changes"), None);
        assert_eq!(of("hello_1.0.orig.tar.gz"), None);
        assert_eq!(of("deb"), None);
        assert_eq!(any("amd64").unwrap().name(), "binary-amd64");
    }
}
