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
    /// Why it gets nothing at all, whatever it can: it is told of only where somebody asks why a request waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<String>,
}

impl Lists {
    /// Whether a worker with these lists gets requests for a task.
    pub fn permit(&self, task: &TaskName) -> bool {
        self.away.is_none() && self.have(task)
    }

    fn have(&self, task: &TaskName) -> bool {
        match &self.allow {
            Some(allowed) => allowed.contains(task),
            None => !self.deny.contains(task),
        }
    }

    /// Why a worker with these lists gets no requests for a task: none where it does.
    pub fn reasons(&self, task: &TaskName) -> impl Iterator<Item = Reason> {
        let away = self.away.as_ref();
        let away = away.map(|why| Reason::new(ReasonCode::Unavailable, why));
        self.denied(task).into_iter().chain(away)
    }

    /// Why the lists do not permit a task; `None` where they do.
    pub(crate) fn denied(&self, task: &TaskName) -> Option<Reason> {
        if self.have(task) {
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
        let is_denied = |lists: &Lists, text| lists.reasons(&name(text)).next().is_some();
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
