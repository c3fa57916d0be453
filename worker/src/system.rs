//! What the host itself reports of a machine, next to what its plugins do.

use crate::architecture::{executable, host_architecture, qemu_system};
use rustix::system::sysinfo;
use serde_json::Value;
use std::{fs, thread};
use taskbay_core::Metadata;
use taskbay_plugin_api::is_available;

/// All that the host reports of this machine.
///
/// | key | value |
/// | --- | --- |
/// | `system:cpu_count` | how many processors this process may use |
/// | `system:total_physical_memory` | in bytes |
/// | `system:worker_type` | `external` |
/// | `system:host_architecture` | Debian's name of the architecture |
/// | `system:architectures` | all that can be executed here, as `arch-test` finds; without it the native one |
/// | `executor:unshare:available` | `unshare` is installed |
/// | `executor:incus-lxc:available`, `executor:incus-vm:available` | `incus` is installed |
/// | `executor:qemu:available` | `autopkgtest-virt-qemu`, and the `qemu-system-…` of this architecture, are installed |
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
    let incus = is_available("incus");
    set("executor:unshare:available", is_available("unshare").into());
    set("executor:incus-lxc:available", incus.into());
    set("executor:incus-vm:available", incus.into());
    // The package autopkgtest ships the former without the latter.
    let qemu = is_available("autopkgtest-virt-qemu") && is_available(&qemu_system());
    set("executor:qemu:available", qemu.into());
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
        for backend in ["unshare", "incus-lxc", "incus-vm", "qemu"] {
            let key = format!("executor:{backend}:available");
            assert!(metadata.value(&key).unwrap().is_boolean(), "{key}");
        }
        assert_eq!(metadata.len(), 9);
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
