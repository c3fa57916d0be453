//! Where a task's commands run: in an environment, by an executor's backend, or on the worker itself.

use crate::Requirement;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What runs commands in an environment. The names are Debusine's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// The task's own choice, which is `unshare`.
    #[default]
    Auto,
    /// Linux namespaces.
    Unshare,
    /// A system container of Incus.
    IncusLxc,
    /// A virtual machine of Incus.
    IncusVm,
    /// A virtual machine of QEMU.
    Qemu,
}

impl Backend {
    /// Its name, which is that of the task's choice for `auto`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto | Self::Unshare => "unshare",
            Self::IncusLxc => "incus-lxc",
            Self::IncusVm => "incus-vm",
            Self::Qemu => "qemu",
        }
    }

    /// The worker must have this backend.
    pub fn requirement(self) -> Requirement {
        let name = self.name();
        Requirement::equals(&format!("executor:{name}:available"), true).because(format!(
            "the worker cannot run commands in an environment with `{name}`"
        ))
    }
}
