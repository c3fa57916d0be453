//! A worker as it is matched.

use crate::Lists;
use taskbay_core::Metadata;

/// A worker as it is matched.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Its name; no two have the same.
    pub name: String,
    /// What counts of its metadata: what it reports, with what an admin set in its place.
    pub metadata: Metadata,
    /// The tasks that an admin permits.
    pub lists: Lists,
    /// Whether all that it can execute at once is taken.
    pub is_busy: bool,
}

impl Worker {
    /// An idle worker that may execute whatever it can.
    pub fn new(name: impl Into<String>, reported: Metadata) -> Self {
        Self {
            name: name.into(),
            metadata: reported,
            lists: Lists::default(),
            is_busy: false,
        }
    }

    /// The worker with static metadata, which counts in the place of what it reports.
    #[must_use]
    pub fn with_static(mut self, set_by_admin: Metadata) -> Self {
        self.metadata.extend(set_by_admin);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn static_metadata_counts_in_the_place_of_what_is_reported() {
        let metadata = |text| Metadata::parse(text).unwrap();
        let worker = Worker::new("w", metadata(r#"{"a": 1, "b": 2}"#))
            .with_static(metadata(r#"{"b": 3, "c": null}"#));
        assert_eq!(worker.metadata, metadata(r#"{"a": 1, "b": 3, "c": null}"#));
    }
}
