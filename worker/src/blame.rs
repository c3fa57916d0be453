//! Who is to blame when a question about a plugin has no answer: the plugin, or whatever else its host was asked before.

use crate::{evidence, failure::Failure, hosts::Hosts};
use std::{thread, time::Duration};
use taskbay_loader::{Admissible, Phase};

/// How much later than a host its parent may be told to end.
const LATER_SIGNAL: Duration = Duration::from_millis(100);

impl Hosts {
    /// Puts a question again, to a host of its own, when it failed in one that was asked something before: another plugin
    /// may have killed or stopped it, or have left it without memory, descriptors or rights; and task data may have had
    /// this very plugin panic, after which it answers nothing more. One that is [prepared](Self::prepare) lacks rights from
    /// its start.
    pub(crate) fn alone_if_it_fails<T>(
        &mut self,
        file: &Admissible,
        question: impl Fn(&mut Self) -> Result<T, Failure>,
        has_failed: impl Fn(&Result<T, Failure>) -> bool,
    ) -> Result<T, Failure> {
        let is_fresh = self.is_fresh_for(file);
        let answer = question(self);
        if is_fresh || !has_failed(&answer) {
            return answer;
        }
        log::debug!(
            "in a plugin host that was asked before, {} failed; asking again in a host of its own",
            file.path().display()
        );
        self.is_not_prepared();
        self.close();
        question(self)
    }

    /// Whether nobody but this plugin can be to blame for what it does next: no task data, and no confinement.
    fn is_fresh_for(&mut self, file: &Admissible) -> bool {
        if self.is_prepared() {
            return false;
        }
        let place = self.place();
        place.is_here() || !place.has_others_than(file.identity()) && !place.had_task_data()
    }

    /// Puts a question that no request is to blame for. A plugin that dies of it, or hangs, is set aside, if nobody else
    /// can have done that.
    pub(crate) fn blaming<T>(
        &mut self,
        file: &Admissible,
        phase: Phase,
        question: impl Fn(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let is_fresh = self.is_fresh_for(file);
        let mut answer = question(self);
        if let Err(Failure::Died(death)) = &answer
            && death.was_told_to_end()
        {
            // Whoever stops a service signals all of its processes, in any order: this one may be told in a moment.
            thread::sleep(LATER_SIGNAL);
            if !self.abort().is_set() {
                self.close();
                answer = question(self);
            }
        }
        if answer.is_err() && self.abort().is_set() {
            return Err(Failure::Interrupted);
        }
        if let (Err(failure), Some(quarantine)) = (&answer, self.quarantine())
            && is_fresh
        {
            evidence::keep(quarantine, self.store(), file, phase, failure);
        }
        answer
    }
}
