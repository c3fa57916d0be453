//! Worker metadata: what a worker says of itself, under namespaced keys such as `sbuild:available`.

use crate::metadata_key::{KeyHasher, MetadataKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Map, Value};
use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    hash::BuildHasherDefault,
};

/// How deeply a value may be nested. Such documents are put into others, and no JSON reader here follows more than 127
/// levels.
const DEEPEST: usize = 64;

/// What a worker says of itself: a flat JSON object.
///
/// Parsed once per worker; a look-up by [`MetadataKey`] then takes a few nanoseconds.
#[derive(Clone, Default)]
pub struct Metadata {
    entries: Vec<(MetadataKey, Value)>,
    /// Position of each key's entry by the key's hash.
    index: HashMap<u64, usize, BuildHasherDefault<KeyHasher>>,
    /// Entries whose hash another key holds already; in practice empty, but whoever writes metadata can choose keys.
    collided: Vec<usize>,
}

/// Why a text is no worker metadata.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// It is not JSON.
    #[error("worker metadata is not valid JSON")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON, but no object.
    #[error("worker metadata must be a JSON object, not {0}")]
    NotObject(&'static str),
    /// A value in it is nested too deeply.
    #[error("the value of `{key}` in worker metadata is nested more deeply than {DEEPEST} levels")]
    TooDeep {
        /// Its key.
        key: String,
    },
}

impl Metadata {
    /// Reads a JSON object.
    ///
    /// # Errors
    ///
    /// When `text` is no JSON, or no object, or a value in it is nested more deeply than 64 levels.
    pub fn parse(text: &str) -> Result<Self, MetadataError> {
        Self::from_json(serde_json::from_str(text).map_err(MetadataError::NotJson)?)
    }

    fn from_json(value: Value) -> Result<Self, MetadataError> {
        let map = match value {
            Value::Object(map) => map,
            other => return Err(MetadataError::NotObject(kind(&other))),
        };
        match map.iter().find(|(_, value)| !is_shallow(value, DEEPEST)) {
            Some((key, _)) => Err(MetadataError::TooDeep { key: key.clone() }),
            None => Ok(map.into()),
        }
    }

    /// The value under `key`.
    pub fn get(&self, key: &MetadataKey) -> Option<&Value> {
        self.position(key).map(|at| &self.entries[at].1)
    }

    /// The value under the key of that text. In a hot path, keep a [`MetadataKey`] and use [`get`](Self::get).
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.get(&MetadataKey::new(key))
    }

    /// Puts `value` under `key`, in the place of what was there.
    pub fn insert(&mut self, key: &str, value: impl Into<Value>) {
        let key = MetadataKey::new(key);
        if let Some(at) = self.position(&key) {
            self.entries[at].1 = value.into();
            return;
        }
        let at = self.entries.len();
        match self.index.entry(key.hash) {
            Entry::Occupied(_) => self.collided.push(at),
            Entry::Vacant(vacant) => {
                vacant.insert(at);
            }
        }
        self.entries.push((key, value.into()));
    }

    /// Puts every entry of `other` into this, in the place of what was there.
    pub fn extend(&mut self, other: Self) {
        for (key, value) in other.entries {
            self.insert(key.as_str(), value);
        }
    }

    /// All entries, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries
            .iter()
            .map(|(key, value)| (key.as_str(), value))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn position(&self, key: &MetadataKey) -> Option<usize> {
        let is_key = |at: &usize| self.entries[*at].0.text == key.text;
        let at = *self.index.get(&key.hash)?;
        if is_key(&at) {
            return Some(at);
        }
        self.collided.iter().copied().find(is_key)
    }
}

impl From<Map<String, Value>> for Metadata {
    fn from(map: Map<String, Value>) -> Self {
        let mut metadata = Self::default();
        for (key, value) in map {
            metadata.insert(&key, value);
        }
        metadata
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl PartialEq for Metadata {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .entries
                .iter()
                .all(|(key, value)| other.get(key) == Some(value))
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sorted: Vec<_> = self.iter().collect();
        sorted.sort_unstable_by_key(|(key, _)| *key);
        serializer.collect_map(sorted)
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Whether the value has no more than that many levels.
fn is_shallow(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_shallow(item, levels - 1)),
        Value::Object(map) => levels > 0 && map.values().all(|item| is_shallow(item, levels - 1)),
        _ => true,
    }
}

/// What kind of JSON value this is, for messages.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_looks_up_and_replaces() {
        let mut metadata = Metadata::parse(r#"{"a:b": 1, "c:d": [true], "a:b": 2}"#).unwrap();
        assert_eq!(metadata.value("a:b"), Some(&json!(2)));
        metadata.insert("c:d", "new");
        assert_eq!(metadata.value("c:d"), Some(&json!("new")));
        assert_eq!(metadata.value("x"), None);
        assert_eq!(metadata.len(), 2);
    }

    #[test]
    fn keys_of_one_hash_stay_apart() {
        let mut metadata = Metadata::default();
        metadata.insert("first", 1);
        // Two texts of one FNV-1a hash are hard to find, so the second key is given the first one's.
        let twin = MetadataKey {
            text: "second".into(),
            hash: MetadataKey::new("first").hash,
        };
        assert_eq!(metadata.get(&twin), None);
        metadata.collided.push(metadata.entries.len());
        metadata.entries.push((twin.clone(), json!(2)));
        assert_eq!(metadata.get(&twin), Some(&json!(2)));
        assert_eq!(metadata.value("first"), Some(&json!(1)));
    }

    #[test]
    fn values_may_be_nested_but_not_without_end() {
        let nested = |levels| {
            format!(
                r#"{{"a:b": {}1{}}}"#,
                "[".repeat(levels),
                "]".repeat(levels)
            )
        };
        assert!(Metadata::parse(&nested(64)).is_ok());
        let error = Metadata::parse(&nested(65)).unwrap_err().to_string();
        assert!(error.contains("`a:b`"), "{error}");
        assert!(serde_json::from_str::<Metadata>(&nested(65)).is_err());
    }

    /// A plugin judges by the text that its host wrote.
    #[test]
    fn numbers_cross_unchanged() {
        let sent = Metadata::parse(r#"{"a": 276.2642775434148063e12}"#).unwrap();
        let received = serde_json::to_string(&sent).unwrap();
        assert_eq!(Metadata::parse(&received).unwrap(), sent);
    }

    #[test]
    fn says_what_it_got_instead_of_an_object() {
        let message = |text| Metadata::parse(text).unwrap_err().to_string();
        assert_eq!(
            message("[]"),
            "worker metadata must be a JSON object, not an array"
        );
        assert_eq!(message("{"), "worker metadata is not valid JSON");
        assert_eq!(
            message(r#"{"a": NaN}"#),
            "worker metadata is not valid JSON"
        );
    }
}
