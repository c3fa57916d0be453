//! The kinds of packages, each of which gets an analysis of its own.

use std::path::Path;

/// What kind of package a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A source package, by its `.dsc`.
    Source,
    /// A binary package for all architectures.
    BinaryAll,
    /// A binary package for one architecture.
    BinaryAny,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Source, Self::BinaryAll, Self::BinaryAny];

    /// The kind of a file, by its name; none where lintian shall not look at it.
    pub(crate) fn of(file: &Path) -> Option<Self> {
        let stem = file.file_stem()?.to_str()?;
        match file.extension()?.to_str()? {
            "dsc" => Some(Self::Source),
            "deb" | "udeb" if stem.ends_with("_all") => Some(Self::BinaryAll),
            "deb" | "udeb" => Some(Self::BinaryAny),
            _ => None,
        }
    }

    /// The architecture that the analysis is about, in Debusine's words.
    pub(crate) fn architecture(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::BinaryAll => "all",
            Self::BinaryAny => "any",
        }
    }

    /// A name for the analysis.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::BinaryAll => "binary-all",
            Self::BinaryAny => "binary-any",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_kinds_by_the_name() {
        let of = |name: &str| Kind::of(Path::new(name));
        assert_eq!(of("/a_all.deb/hello_1.0-1.dsc"), Some(Kind::Source));
        assert_eq!(of("hello-doc_1.0-1_all.deb"), Some(Kind::BinaryAll));
        assert_eq!(of("hello_1.0-1_amd64.deb"), Some(Kind::BinaryAny));
        assert_eq!(of("hello-udeb_1.0-1_amd64.udeb"), Some(Kind::BinaryAny));
        assert_eq!(of("hello-udeb_1.0-1_all.udeb"), Some(Kind::BinaryAll));
        assert_eq!(of("hello_1.0-1_amd64.changes"), None);
        assert_eq!(of("hello_1.0.orig.tar.gz"), None);
        assert_eq!(of("deb"), None);
    }
}
