//! What is kept of a plugin's failure.

use crate::{failure::Failure, host_process::Death};
use std::time::SystemTime;
use taskbay_loader::{Admissible, Evidence, Phase, Quarantine, sha256};

/// Sets the plugin aside for that failure, if it is one to be set aside for. A plugin is not blamed for the death of a
/// host that it was not alone in.
pub(crate) fn keep(
    quarantine: &Quarantine,
    file: &Admissible,
    phase: Phase,
    failure: &Failure,
    is_alone: bool,
) {
    let missing = match failure {
        Failure::Rejected(rejection) => rejection.missing_library(),
        _ => None,
    };
    let death = match failure {
        Failure::Died(death) if is_alone => Some(death),
        Failure::Garbled(_) if is_alone => None,
        Failure::Hung { .. } => None,
        _ if missing.is_some() => None,
        _ => return,
    };
    let evidence = Evidence {
        name: file.name().to_string(),
        file: file.resolved().to_owned(),
        identity: file.identity(),
        sha256: sha256(file.resolved()).ok(),
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
