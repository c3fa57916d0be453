//! Any path as JSON: text where it is UTF-8, else the array of its bytes. For serde's `with`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form<'a> {
    Text(std::borrow::Cow<'a, str>),
    Bytes(std::borrow::Cow<'a, [u8]>),
}

/// Writes a path.
///
/// # Errors
///
/// The serializer's.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    form(path).serialize(serializer)
}

/// Reads a path.
///
/// # Errors
///
/// When there is neither text nor an array of bytes.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    Form::deserialize(deserializer).map(path)
}

fn form(path: &Path) -> Form<'_> {
    match path.to_str() {
        Some(text) => Form::Text(text.into()),
        None => Form::Bytes(path.as_os_str().as_bytes().into()),
    }
}

fn path(form: Form<'_>) -> PathBuf {
    match form {
        Form::Text(text) => text.into_owned().into(),
        Form::Bytes(bytes) => OsString::from_vec(bytes.into_owned()).into(),
    }
}

/// The same for lists of paths.
pub mod list {
    use super::{Deserialize, Deserializer, Form, PathBuf, Serializer, form, path};

    /// Writes paths.
    ///
    /// # Errors
    ///
    /// The serializer's.
    pub fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(paths.iter().map(|path| form(path)))
    }

    /// Reads paths.
    ///
    /// # Errors
    ///
    /// When there is no array of paths.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<PathBuf>, D::Error> {
        let forms = Vec::<Form<'_>>::deserialize(deserializer)?;
        Ok(forms.into_iter().map(path).collect())
    }
}

/// The same for a path that may be missing.
pub mod option {
    use super::{Deserialize, Deserializer, Form, PathBuf, Serialize, Serializer, form, path};

    /// Writes a path, or null.
    ///
    /// # Errors
    ///
    /// The serializer's.
    pub fn serialize<S: Serializer>(
        found: &Option<PathBuf>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        found.as_deref().map(form).serialize(serializer)
    }

    /// Reads a path, or null.
    ///
    /// # Errors
    ///
    /// When there is neither.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<PathBuf>, D::Error> {
        Ok(Option::<Form<'_>>::deserialize(deserializer)?.map(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Paths {
        #[serde(with = "super")]
        one: PathBuf,
        #[serde(with = "super::list")]
        all: Vec<PathBuf>,
        #[serde(with = "super::option")]
        perhaps: Option<PathBuf>,
    }

    #[test]
    fn every_path_crosses() {
        let odd = PathBuf::from(OsString::from_vec(b"/tmp/\xff".to_vec()));
        let paths = Paths {
            one: odd.clone(),
            all: vec!["/plain".into(), odd.clone()],
            perhaps: Some(odd),
        };
        let text = serde_json::to_string(&paths).unwrap();
        assert!(text.contains(r#""/plain""#), "{text}");
        assert_eq!(serde_json::from_str::<Paths>(&text).unwrap(), paths);
    }
}
