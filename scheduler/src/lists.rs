//! Which tasks a worker is permitted to execute.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use taskbay_core::{Reason, ReasonCode, TaskName};

/// An admin's lists of tasks for a worker. Where there is an allow list, the deny list means nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lists {
    /// The only tasks that it may execute, where this is there.
    pub allow: Option<BTreeSet<TaskName>>,
    /// The tasks that it may not execute.
    pub deny: BTreeSet<TaskName>,
}

impl Lists {
    /// Whether a task is permitted.
    pub fn permit(&self, task: &TaskName) -> bool {
        match &self.allow {
            Some(allowed) => allowed.contains(task),
            None => !self.deny.contains(task),
        }
    }

    /// Why a task is not permitted; `None` where it is.
    pub fn reason(&self, task: &TaskName) -> Option<Reason> {
        if self.permit(task) {
            return None;
        }
        let message = if self.allow.is_some() {
            format!("the worker's allow list does not have the task `{task}`")
        } else {
            format!("the worker's deny list has the task `{task}`")
        };
        Some(Reason::new(ReasonCode::Denied, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allow_list_shadows_a_deny_list() {
        let name = |text: &str| TaskName::fold(text).unwrap();
        let is_denied = |lists: &Lists, text| lists.reason(&name(text)).is_some();
        let mut lists = Lists::default();
        assert!(!is_denied(&lists, "a"));
        lists.deny.insert(name("a"));
        assert!(is_denied(&lists, "a") && !is_denied(&lists, "b"));
        lists.allow = Some([name("a")].into());
        assert!(!is_denied(&lists, "a") && is_denied(&lists, "b"));
        lists.allow = Some(BTreeSet::new());
        assert!(is_denied(&lists, "a"));
    }
}
