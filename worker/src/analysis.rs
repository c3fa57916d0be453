//! What a worker says of itself: what the host finds out, and what each plugin adds.

use crate::{Failure, Hosts, system};
use taskbay_core::{Metadata, TaskName};
use taskbay_loader::{Admissible, Catalog};

/// A worker's metadata, and what went wrong as it was gathered.
#[derive(Debug)]
pub struct WorkerAnalysis {
    /// The metadata. A plugin that failed has `<name>:health` in it, and no other key.
    pub metadata: Metadata,
    /// The plugins that failed, by name.
    pub failed: Vec<(String, Failure)>,
}

impl WorkerAnalysis {
    /// Asks each of `files`, one after the other; one that fails costs no other its keys.
    ///
    /// # Errors
    ///
    /// When no plugin can be asked any more, for which none of them is to blame.
    pub fn gather<'a>(
        hosts: &mut Hosts,
        files: impl IntoIterator<Item = &'a Admissible>,
        known: &Metadata,
    ) -> Result<Self, Failure> {
        let mut analysis = Self {
            metadata: known.clone(),
            failed: Vec::new(),
        };
        for file in files {
            let name = file.name();
            match hosts.analyze(file, known) {
                Ok((metadata, dropped)) => {
                    for key in dropped {
                        log::warn!(
                            "{}: its key `{key}` is dropped: a plugin's keys start with `{name}:`, and its version is the host's to say",
                            file.path().display()
                        );
                    }
                    analysis.metadata.extend(metadata);
                }
                Err(failure) if !failure.is_of_plugin() => return Err(failure),
                Err(failure) => {
                    analysis
                        .metadata
                        .insert(&name.prefix("health"), failure.to_string());
                    analysis.failed.push((name.to_string(), failure));
                }
            }
        }
        Ok(analysis)
    }

    /// Says of each task whose files are all refused why: that it is not offered is no mystery then. One that
    /// `is_offered` all the same, by a file that is being written anew, is left as it is.
    pub fn add_refused(&mut self, catalog: &Catalog, is_offered: impl Fn(&TaskName) -> bool) {
        for (name, rejection) in catalog.refused_names() {
            if !is_offered(name) {
                self.metadata
                    .insert(&name.prefix("health"), rejection.to_string());
            }
        }
    }

    /// Everything that there is to know of this machine with these plugins.
    ///
    /// # Errors
    ///
    /// As [`gather`](Self::gather).
    pub fn of_this_machine<'a>(
        hosts: &mut Hosts,
        files: impl IntoIterator<Item = &'a Admissible>,
    ) -> Result<Self, Failure> {
        Self::gather(hosts, files, &system::metadata())
    }
}
