//! `taskbay analyze`: this worker's metadata.

use crate::{
    error::CommandError,
    exit::Exit,
    report::note,
    session::{Session, find},
};
use taskbay_loader::Admissible;
use taskbay_worker::WorkerAnalysis;

pub(crate) fn run(session: &Session, names: &[String]) -> Result<Exit, CommandError> {
    let catalog = session.catalog();
    let files: Vec<&Admissible> = if names.is_empty() {
        catalog.usable().collect()
    } else {
        names
            .iter()
            .map(|name| find(&catalog, name))
            .collect::<Result<_, _>>()?
    };
    if names.is_empty() {
        for (file, rejection) in catalog.rejected() {
            note(&format!(
                "warning: {} is not used: {rejection}; {}",
                file.display(),
                rejection.help()
            ));
        }
    }
    let mut hosts = session.hosts();
    let analysis = WorkerAnalysis::of_this_machine(&mut hosts, files.iter().copied())
        .map_err(|failure| CommandError::not_asked(&failure))?;
    session.report.json(&analysis.metadata)?;
    let all_failed = !names.is_empty() && analysis.failed.len() == files.len();
    note_failed(&analysis);
    // Of several causes the most specific one is that of the highest number.
    let exits = analysis
        .failed
        .iter()
        .map(|(_, failure)| Exit::from(failure));
    Ok(match exits.max_by_key(|exit| *exit as u8) {
        Some(exit) if all_failed => exit,
        _ => Exit::Success,
    })
}

/// Says which plugins have nothing to offer since they failed.
pub(crate) fn note_failed(analysis: &WorkerAnalysis) {
    for (name, failure) in &analysis.failed {
        note(&format!(
            "warning: this worker does not offer `{name}`: {failure}; {}",
            failure.help()
        ));
    }
}
