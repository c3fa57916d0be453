//! The disk that a request asks for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taskbay_debian::is_package_name;
use taskbay_plugin_api::TaskConfigError;

/// The file system of the root, the only one that debefivm-create makes.
pub(crate) const FILESYSTEM: &str = "ext4";
/// What boots it, the only one that debefivm-create installs.
const BOOTLOADER: &str = "systemd-boot";
/// One unit of a partition's size, which debefivm-create calls `G`.
const GIGABYTE: u64 = 1 << 30;

/// The disk.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiskImage {
    /// How it is written down.
    pub(crate) format: Format,
    /// The name of its file, without the ending.
    #[serde(default = "image")]
    filename: String,
    /// The package of its kernel; without it, debefivm-create chooses one.
    #[serde(default)]
    pub(crate) kernel_package: Option<String>,
    /// The package of what boots it; only `systemd-boot` is taken.
    #[serde(default)]
    bootloader: Option<String>,
    /// Its partitions beside the one that it boots from: one, for the root.
    #[schemars(length(min = 1))]
    partitions: Vec<Partition>,
}

/// How a disk is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Byte by byte, as `root.img` in a tarball.
    Raw,
    /// As an image of QEMU's.
    Qcow2,
}

/// A partition.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Partition {
    /// Its size, in gigabytes.
    #[schemars(range(min = 1))]
    size: u32,
    /// Its file system; only `ext4` is taken.
    filesystem: String,
    /// Where it is mounted: at `/`, which is meant by `none`, too.
    #[serde(default = "none")]
    mountpoint: String,
}

fn image() -> String {
    "image".to_owned()
}

fn none() -> String {
    "none".to_owned()
}

impl DiskImage {
    /// What is wrong with it, where it stands at `/disk_image`.
    pub(crate) fn faults(&self) -> Vec<TaskConfigError> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, message: &str| {
            let pointer = format!("/disk_image/{pointer}");
            faults.push(TaskConfigError::new(pointer, message));
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        if !self
            .filename
            .starts_with(|c: char| c.is_ascii_alphanumeric())
            || !self.filename.chars().all(is_plain)
        {
            fault("filename", "is no plain name of a file, as `image`");
        }
        let kernel = self.kernel_package.as_deref();
        if kernel.is_some_and(|name| !is_package_name(name)) {
            fault("kernel_package", "is no name of a package");
        }
        let bootloader = self.bootloader.as_deref();
        if bootloader.is_some_and(|name| name != BOOTLOADER) {
            fault(
                "bootloader",
                "must be `systemd-boot`: debefivm-create knows no other",
            );
        }
        for (number, partition) in self.partitions.iter().enumerate() {
            let at = |key: &str| format!("partitions/{number}{key}");
            if number > 0 {
                let message = "is one too many: debefivm-create makes one, for the root";
                fault(&at(""), message);
                continue;
            }
            if partition.filesystem != FILESYSTEM {
                let message = "must be `ext4`: debefivm-create makes no other";
                fault(&at("/filesystem"), message);
            }
            // The first one is the root, as Debusine has it too where nothing is said.
            if !["/", "none"].contains(&&*partition.mountpoint) {
                let message = "must be `/`: debefivm-create makes a partition for the root alone";
                fault(&at("/mountpoint"), message);
            }
        }
        faults
    }

    /// The size of the root, in gigabytes.
    pub(crate) fn root_size(&self) -> u32 {
        self.partitions[0].size
    }

    /// The same in bytes.
    pub(crate) fn root_bytes(&self) -> u64 {
        u64::from(self.root_size()) * GIGABYTE
    }

    /// The name of its file.
    pub(crate) fn file(&self) -> String {
        let ending = match self.format {
            Format::Raw => "tar.xz",
            Format::Qcow2 => "qcow2",
        };
        format!("{}.{ending}", self.filename)
    }
}
