//! `taskbay analyze`: this worker's metadata.

use crate::{
    error::CommandError,
    exit::Exit,
    report::note,
    session::{Session, find_loading},
};
use taskbay_worker::WorkerAnalysis;

pub(crate) fn run(session: &Session, names: &[String]) -> Result<Exit, CommandError> {
    let mut catalog = session.catalog();
    let mut hosts = session.hosts();
    let all: Vec<String> = catalog
        .usable()
        .map(|file| file.name().to_string())
        .collect();
    let wanted = if names.is_empty() { &all } else { names };
    let mut files = Vec::new();
    for name in wanted {
        files.push(find_loading(&mut catalog, &mut hosts, name)?);
    }
    if names.is_empty() {
        for (file, rejection) in catalog.rejected() {
            note(&format!(
                "warning: {} is not used: {rejection}; {}",
                file.display(),
                rejection.help()
            ));
        }
    }
    let mut analysis = WorkerAnalysis::of_this_machine(&mut hosts, &files)
        .map_err(|failure| CommandError::not_asked(&failure))?;
    if names.is_empty() {
        analysis.add_refused(&catalog, |_| false);
    }
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
