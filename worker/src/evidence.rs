//! What is kept of a plugin's failure.

use crate::{death::Death, failure::Failure};
use std::time::SystemTime;
use taskbay_loader::{Admissible, Evidence, Phase, Quarantine, Store, sha256};

/// Sets the plugin aside for that failure, if it is one to be set aside for.
pub(crate) fn keep(
    quarantine: &Quarantine,
    store: &Store,
    file: &Admissible,
    phase: Phase,
    failure: &Failure,
) {
    let missing = match failure {
        Failure::Rejected(rejection) => rejection.missing_library(),
        _ => None,
    };
    let death = match failure {
        Failure::Died(death) => Some(death),
        Failure::Garbled(_) | Failure::Hung { .. } => None,
        _ if missing.is_some() => None,
        _ => return,
    };
    let evidence = Evidence {
        name: file.name().to_string(),
        file: file.resolved().to_owned(),
        identity: file.identity(),
        sha256: hash(store, file),
        phase,
        reason: failure.to_string(),
        signal: death.and_then(Death::signal).map(ToOwned::to_owned),
        status: death.and_then(|death| death.status.code()),
        stderr: death.map(|death| death.stderr.clone()).unwrap_or_default(),
        time: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        missing: missing.map(ToOwned::to_owned),
    };
    if let Err(error) = quarantine.add(&evidence) {
        log::warn!("{} cannot be set aside: {error}", file.path().display());
    }
}

/// The hash of the bytes that were loaded: of the private copy, since anything may stand under the file's path by now, a
/// FIFO too.
fn hash(store: &Store, file: &Admissible) -> Option<String> {
    let copy = store.keep(file.resolved(), file.identity());
    sha256(&copy.ok()?).ok()
}
