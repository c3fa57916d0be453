//! What a worker says of itself: what the host finds out, and what each plugin adds.

use crate::{Configured, Failure, Hosts, system};
use taskbay_core::{Metadata, Verdict};
use taskbay_loader::Admissible;

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
    pub fn gather<'a>(
        hosts: &mut Hosts,
        files: impl IntoIterator<Item = &'a Admissible>,
        known: &Metadata,
    ) -> Self {
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
                Err(failure) => {
                    analysis
                        .metadata
                        .insert(&name.prefix("health"), failure.to_string());
                    analysis.failed.push((name.to_string(), failure));
                }
            }
        }
        analysis
    }

    /// Everything that there is to know of this machine with these plugins.
    pub fn of_this_machine<'a>(
        hosts: &mut Hosts,
        files: impl IntoIterator<Item = &'a Admissible>,
    ) -> Self {
        Self::gather(hosts, files, &system::metadata())
    }
}

/// Whether this machine may execute the task of `file` with that data.
///
/// # Errors
///
/// When the plugin fails as it looks at the machine, or is asked.
pub fn judge_this_machine(
    hosts: &mut Hosts,
    file: &Admissible,
    configured: &Configured,
) -> Result<Verdict, Failure> {
    // Finding out about foreign architectures takes longer than a short task, so it is left for where it matters.
    let verdict = judge(hosts, file, configured, system::quick())?;
    let is_about_architectures =
        |key: &Option<String>| key.as_deref() == Some("system:architectures");
    if verdict
        .reasons
        .iter()
        .any(|reason| is_about_architectures(&reason.key))
    {
        return judge(hosts, file, configured, system::metadata());
    }
    Ok(verdict)
}

fn judge(
    hosts: &mut Hosts,
    file: &Admissible,
    configured: &Configured,
    mut worker: Metadata,
) -> Result<Verdict, Failure> {
    let (said, _) = hosts.analyze(file, &worker)?;
    worker.extend(said);
    hosts.can_run(file, &configured.data, &worker)
}
