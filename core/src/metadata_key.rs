//! The key of a value in worker metadata.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, hash::Hasher};

/// A metadata key with its hash, so that looking it up costs no hashing. Made once per requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataKey {
    pub(crate) text: Box<str>,
    pub(crate) hash: u64,
}

impl MetadataKey {
    /// The key of that text.
    pub fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            hash: fnv1a(text.as_bytes()),
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for MetadataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for MetadataKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for MetadataKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

/// FNV-1a: short, and good enough where a collision costs only time.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Passes a [`MetadataKey`]'s hash through.
#[derive(Clone, Copy, Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = fnv1a(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
