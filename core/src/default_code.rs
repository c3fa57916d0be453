//! Telling a task's own code from what stands in the place of none.

use std::cell::Cell;

thread_local! {
    /// Whether the default has answered on this thread.
    static HAS_ANSWERED: Cell<bool> = const { Cell::new(false) };
}

/// Says that the default answers.
pub(crate) fn has_answered() {
    HAS_ANSWERED.set(true);
}

/// Asks, and says whether the default [`can_run_on`](crate::Task::can_run_on) was among those that answered.
pub fn answers<R>(ask: impl FnOnce() -> R) -> (R, bool) {
    HAS_ANSWERED.set(false);
    let answer = ask();
    (answer, HAS_ANSWERED.get())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Metadata, Refusal, Task, TaskError};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Deserialize, Serialize, JsonSchema)]
    struct Plain {}

    #[derive(Deserialize, Serialize, JsonSchema)]
    struct Choosy {}

    impl Task for Plain {
        const NAME: &'static str = "plain";
        const VERSION: u32 = 1;

        fn execute(&self, _: &Context) -> Result<bool, TaskError> {
            Ok(true)
        }
    }

    impl Task for Choosy {
        const NAME: &'static str = "choosy";
        const VERSION: u32 = 1;

        fn can_run_on(&self, _: &Metadata) -> Result<(), Refusal> {
            Ok(())
        }

        fn execute(&self, _: &Context) -> Result<bool, TaskError> {
            Ok(true)
        }
    }

    #[test]
    fn code_that_always_says_yes_is_told_from_none() {
        let worker = Metadata::default();
        let (answer, is_default) = answers(|| Plain {}.can_run_on(&worker));
        assert!(answer.is_ok() && is_default);
        let (answer, is_default) = answers(|| Choosy {}.can_run_on(&worker));
        assert!(answer.is_ok() && !is_default);
    }
}
