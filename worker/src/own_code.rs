//! Asking a task's own code, as nobody does who wants a verdict.

use crate::{failure::Failure, hosts::Hosts, protocol::Question};
use taskbay_core::{Configured, Metadata, Verdict};
use taskbay_loader::Admissible;

impl Hosts {
    /// What the task's own code says against a worker, whether or not the task says that it has some.
    ///
    /// # Errors
    ///
    /// As [`can_run`](Self::can_run).
    pub fn own_code(
        &mut self,
        file: &Admissible,
        configured: &Configured,
        worker: &Metadata,
    ) -> Result<Verdict, Failure> {
        let question = || Question::OwnCode {
            plugin: file.identity(),
            data: configured.data.clone(),
            worker: worker.clone(),
        };
        self.ask_for_verdict(file, question)
    }
}
