//! Lookups: how task data names an artifact.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, path::Path};

/// Names one artifact: by its number in the engine's store, or by a text such as the path of a local file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Lookup {
    /// The artifact of that number.
    Id(u64),
    /// A local path (`./x.dsc`, `/…`, `file:…`), or a lookup in the server's own syntax.
    Text(String),
}

impl Lookup {
    /// The path, when this names a local file: it starts with `./`, `../`, `/` or `file:`.
    pub fn local_path(&self) -> Option<&Path> {
        let Self::Text(text) = self else { return None };
        if let Some(path) = text.strip_prefix("file:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return Some(Path::new(path));
        }
        ["./", "../", "/"]
            .iter()
            .any(|start| text.starts_with(start))
            .then(|| Path::new(text))
    }
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_paths_from_other_lookups() {
        let path = |text: &str| {
            Lookup::Text(text.into())
                .local_path()
                .map(|path| path.to_str().unwrap().to_owned())
        };
        assert_eq!(path("./x.dsc").as_deref(), Some("./x.dsc"));
        assert_eq!(path("../x.dsc").as_deref(), Some("../x.dsc"));
        assert_eq!(path("/a/x.dsc").as_deref(), Some("/a/x.dsc"));
        assert_eq!(path("file:x.dsc").as_deref(), Some("x.dsc"));
        assert_eq!(path("file:///a/x.dsc").as_deref(), Some("/a/x.dsc"));
        assert_eq!(path("debian/match:codename=sid"), None);
        assert_eq!(Lookup::Id(7).local_path(), None);
        assert_eq!(serde_json::from_str::<Lookup>("7").unwrap(), Lookup::Id(7));
    }
}
