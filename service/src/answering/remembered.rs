//! What plugins said of data: a scheduler asks about the same request again and again.

use std::collections::HashMap;
use taskbay_scheduler::Matchable;

/// How many requests are remembered.
const MOST: usize = 10_000;
/// How many bytes of task data they may have together.
const MOST_DATA: usize = 64 << 20;

/// What a plugin said of data that is valid.
#[derive(Debug)]
pub(super) struct Told {
    /// What decides who may execute it.
    pub(super) task: Matchable,
    /// What it is, in a line.
    pub(super) label: Option<String>,
}

/// What was told, by task and data.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    told: HashMap<(String, String), Told>,
    data: usize,
}

impl Remembered {
    /// What was told before, or is now.
    pub(super) fn or_ask<E>(
        &mut self,
        task: &str,
        data: &str,
        ask: impl FnOnce() -> Result<Told, E>,
    ) -> Result<&Told, E> {
        let key = (task.to_ascii_lowercase(), data.to_owned());
        if !self.told.contains_key(&key) {
            let told = ask()?;
            if self.told.len() >= MOST || self.data >= MOST_DATA {
                // Whoever needs one again has it asked again.
                self.clear();
            }
            self.data += data.len() + told.task.data().len();
            return Ok(self.told.entry(key).or_insert(told));
        }
        Ok(&self.told[&key])
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
