//! What could not be found out, and when it is tried again.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use taskbay_core::TaskName;
use taskbay_engine::RequestId;

/// How long a task waits after the first time that its plugin could not be asked; twice as long after each further time.
const FIRST: Duration = Duration::from_secs(1);
/// How long it waits at most.
const LONGEST: Duration = Duration::from_mins(5);
/// How often a request may have its plugin crash or hang before that is its result: a busy machine lets one hang, too.
const MOST_TRIES: u32 = 3;
/// How many requests are remembered.
const MOST_REQUESTS: usize = 10_000;

/// The tasks whose plugins could not be asked, each with the time from which on it is tried again, and the requests that had
/// theirs crash. One bad plugin or request costs the others nothing but the time until that was seen.
#[derive(Debug, Default)]
pub(crate) struct Setbacks {
    tasks: HashMap<TaskName, Setback>,
    tries: HashMap<RequestId, u32>,
}

#[derive(Debug)]
struct Setback {
    count: u32,
    until: Instant,
    is_waiting: bool,
}

impl Setback {
    fn is_due(&self, now: Instant) -> bool {
        self.is_waiting && self.until <= now
    }
}

/// How long something waits that has failed so often before.
pub(crate) fn wait(failures: u32) -> Duration {
    FIRST.saturating_mul(1 << failures.min(16)).min(LONGEST)
}

impl Setbacks {
    /// A task's plugin could not be asked. Says how long it is left alone.
    pub(crate) fn of_task(&mut self, task: &TaskName, now: Instant) -> Duration {
        let setback = self.tasks.entry(task.clone()).or_insert(Setback {
            count: 0,
            until: now,
            is_waiting: false,
        });
        // What fails together counts once.
        if !setback.is_waiting {
            if now.saturating_duration_since(setback.until) > LONGEST {
                // All was well for long.
                setback.count = 0;
            }
            setback.until = now + wait(setback.count);
            setback.count += 1;
            setback.is_waiting = true;
        }
        setback.until.saturating_duration_since(now)
    }

    /// A request had its plugin crash or hang. Says whether that is its result now; then its task waits for it no more.
    pub(crate) fn is_final_of(&mut self, task: &TaskName, request: RequestId) -> bool {
        if self.tries.len() >= MOST_REQUESTS {
            self.tries.clear();
        }
        let tries = self.tries.entry(request).or_default();
        *tries += 1;
        let is_final = *tries >= MOST_TRIES;
        if is_final {
            self.tries.remove(&request);
            self.tasks.remove(task);
        }
        is_final
    }

    /// A task's plugin has answered.
    pub(crate) fn answered(&mut self, task: &TaskName) {
        self.tasks.remove(task);
    }

    /// The tasks that are left alone now.
    pub(crate) fn waiting(&self) -> Vec<TaskName> {
        let waiting = self.tasks.iter().filter(|(_, setback)| setback.is_waiting);
        waiting.map(|(task, _)| task.clone()).collect()
    }

    /// Whether that task is left alone now.
    pub(crate) fn is_waiting(&self, task: &TaskName) -> bool {
        self.tasks
            .get(task)
            .is_some_and(|setback| setback.is_waiting)
    }

    /// Leaves the tasks alone no more whose time is over, and says which.
    pub(crate) fn release(&mut self, now: Instant) -> Vec<TaskName> {
        let due = self.tasks.iter_mut();
        due.filter(|(_, setback)| setback.is_due(now))
            .map(|(task, setback)| {
                setback.is_waiting = false;
                task.clone()
            })
            .collect()
    }

    /// The plugins are others: all are asked at once.
    pub(crate) fn forget(&mut self) {
        self.tasks.clear();
        self.tries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_waits_twice_as_long_each_time() {
        let (mut setbacks, mut now) = (Setbacks::default(), Instant::now());
        let task = TaskName::fold("bad").unwrap();
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = setbacks.of_task(&task, now);
            assert_eq!(
                setbacks.of_task(&task, now),
                wait,
                "it failed twice at once"
            );
            assert!(setbacks.is_waiting(&task) && setbacks.waiting().len() == 1);
            assert!(setbacks.release(now).is_empty());
            waits.push(wait.as_secs());
            now += wait;
            assert_eq!(setbacks.release(now).len(), 1);
            assert!(setbacks.waiting().is_empty());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        setbacks.of_task(&task, now);
        setbacks.answered(&task);
        assert!(!setbacks.is_waiting(&task));
        assert_eq!(setbacks.of_task(&task, now), FIRST);
    }

    #[test]
    fn a_request_that_crashes_its_plugin_again_and_again_has_that_as_its_result() {
        let (mut setbacks, now) = (Setbacks::default(), Instant::now());
        let task = TaskName::fold("bad").unwrap();
        for request in [7, 8, 9] {
            let mut tried = Vec::new();
            for _ in 0..2 {
                tried.push(setbacks.is_final_of(&task, request));
                let waits = setbacks.of_task(&task, now);
                assert!(
                    waits <= FIRST * 2,
                    "what is over makes the next one wait longer"
                );
                setbacks.release(now + waits);
            }
            tried.push(setbacks.is_final_of(&task, request));
            assert_eq!(tried, [false, false, true]);
        }
    }
}
