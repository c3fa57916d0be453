//! What the host itself reports of a machine, next to what its plugins do.

use crate::{
    architecture::{executable, host_architecture},
    confine::what_is_lacking,
};
use rustix::system::sysinfo;
use serde_json::Value;
use std::{fs, thread};
use taskbay_core::Metadata;
use taskbay_debian::why_not_unshare;

/// All that the host reports of this machine.
///
/// | key | value |
/// | --- | --- |
/// | `system:cpu_count` | how many processors this process may use |
/// | `system:total_physical_memory` | in bytes |
/// | `system:worker_type` | `external` |
/// | `system:host_architecture` | Debian's name of the architecture |
/// | `system:architectures` | all that can be executed here, as `arch-test` finds; without it the native one |
/// | `system:confinement` | `strict`, or `partial` where the kernel cannot hold back all that [`Confinement::Strict`](taskbay_core::Confinement::Strict) says |
/// | `system:confinement:reason` | what it lacks, where it does |
/// | `executor:unshare:available` | commands can run as root of a user namespace |
/// | `executor:incus-lxc:available`, `executor:incus-vm:available`, `executor:qemu:available` | no: there is no such executor |
/// | `executor:<backend>:reason` | why that one is not available, where it is not |
pub fn metadata() -> Metadata {
    let mut metadata = quick();
    metadata.insert("system:architectures", Vec::from_iter(executable()));
    metadata
}

/// What [`metadata`] says, with the native architecture alone in `system:architectures`: nothing is executed.
pub fn quick() -> Metadata {
    let mut metadata = Metadata::default();
    let mut set = |key, value: Value| metadata.insert(key, value);
    set(
        "system:cpu_count",
        thread::available_parallelism()
            .map_or(1, usize::from)
            .into(),
    );
    set(
        "system:total_physical_memory",
        total_physical_memory().into(),
    );
    set("system:worker_type", "external".into());
    set("system:host_architecture", host_architecture().into());
    set("system:architectures", vec![host_architecture()].into());
    let lacking = what_is_lacking();
    let confinement = lacking.map_or("strict", |_| "partial");
    set("system:confinement", confinement.into());
    if let Some(lacking) = lacking {
        set("system:confinement:reason", lacking.into());
    }
    let mut backend = |name: &str, why_not: Option<String>| {
        metadata.insert(&format!("executor:{name}:available"), why_not.is_none());
        if let Some(why_not) = why_not {
            metadata.insert(&format!("executor:{name}:reason"), why_not);
        }
    };
    backend("unshare", why_not_unshare());
    for name in ["incus-lxc", "incus-vm", "qemu"] {
        let why_not = format!("there is no executor for {name} yet; use unshare");
        backend(name, Some(why_not));
    }
    metadata
}

fn total_physical_memory() -> u64 {
    // In a container this file may hold the container's limit, which the system call does not know.
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    total_kibibytes(&meminfo).map_or_else(
        || {
            let info = sysinfo();
            // The field's type depends on the architecture.
            #[allow(clippy::useless_conversion, reason = "the type is another on 32 bits")]
            let total = u64::from(info.totalram);
            total.saturating_mul(info.mem_unit.into())
        },
        |kibibytes| kibibytes.saturating_mul(1024),
    )
}

fn total_kibibytes(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_the_keys_of_the_contract_and_no_others() {
        let metadata = quick();
        let count = metadata
            .value("system:cpu_count")
            .unwrap()
            .as_u64()
            .unwrap();
        assert!(count >= 1);
        let memory = metadata
            .value("system:total_physical_memory")
            .unwrap()
            .as_u64()
            .unwrap();
        assert!(memory > 16 << 20, "{memory}");
        assert_eq!(metadata.value("system:worker_type").unwrap(), "external");
        let mut reasons = 0;
        for backend in ["unshare", "incus-lxc", "incus-vm", "qemu"] {
            let available = format!("executor:{backend}:available");
            let available = metadata.value(&available).unwrap().as_bool().unwrap();
            let reason = metadata.value(&format!("executor:{backend}:reason"));
            assert_eq!(available, reason.is_none(), "{backend}: {reason:?}");
            assert!(backend == "unshare" || !available);
            reasons += usize::from(!available);
        }
        let confinement = metadata.value("system:confinement").unwrap();
        let lacking = metadata.value("system:confinement:reason");
        assert_eq!(confinement == "strict", lacking.is_none(), "{lacking:?}");
        reasons += usize::from(lacking.is_some());
        assert_eq!(metadata.len(), 10 + reasons);
    }

    #[test]
    fn all_architectures_hold_the_native_one_and_are_sorted() {
        let all = metadata();
        let all = all
            .value("system:architectures")
            .unwrap()
            .as_array()
            .unwrap();
        assert!(all.contains(&host_architecture().into()));
        assert!(all.is_sorted_by_key(|value| value.as_str().unwrap()));
        assert_eq!(
            quick().value("system:architectures").unwrap(),
            &Value::from(vec![host_architecture()])
        );
    }

    #[test]
    fn reads_meminfo() {
        assert_eq!(
            total_kibibytes("MemTotal:       16314 kB\nMemFree: 1 kB\n"),
            Some(16314)
        );
        assert_eq!(total_kibibytes("MemFree: 1 kB\n"), None);
        assert_eq!(total_kibibytes("MemTotal: many kB\n"), None);
    }
}
