//! Executing a task on this very machine: configured, judged, and if it suits executed.

use crate::{
    AttemptOptions, AttemptReport, Failure, Hosts, ending::outcome_of, protocol::Answer, system,
};
use std::sync::Arc;
use taskbay_core::{Configured, Metadata, Outcome, Server, Verdict};
use taskbay_loader::Admissible;

/// Configures the task of `file` with JSON text, asks whether this machine suits, and executes it if so.
///
/// # Errors
///
/// When the data is invalid, or the attempt cannot begin.
pub fn execute_here(
    hosts: &mut Hosts,
    file: &Admissible,
    data: &str,
    server: &Arc<dyn Server>,
    options: &AttemptOptions,
) -> Result<AttemptReport, Failure> {
    let configured = hosts.configure(file, data)?;
    let verdict = match judge_here(hosts, file, &configured) {
        // The data is valid, so this is no failure to configure.
        Err(Failure::Fault(fault)) => {
            let answer = Ok(Answer::Failed(fault));
            let outcome = outcome_of(file.name().as_str(), answer, None);
            return Ok(AttemptReport::not_made(outcome));
        }
        verdict => verdict?,
    };
    if !verdict.can_run() {
        return Ok(AttemptReport::not_made(Outcome::unsuitable(verdict)));
    }
    hosts.execute(file, &configured, server, options)
}

/// Whether this machine may execute the task of `file` with that data.
///
/// # Errors
///
/// When the plugin is refused, fails, dies or hangs.
pub fn judge_here(
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
    hosts.can_run(file, configured, &worker)
}
