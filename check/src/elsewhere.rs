//! Another machine, as near as namespaces of its own make one of this for a plugin host.

use std::{ffi::OsString, process};
use taskbay_worker::HostProgram;

/// Holds the program open, since its path may be gone there.
const OUTSIDE: &str = r#"exec 9<"$1" && shift && exec unshare $NAMESPACES sh -c "$INSIDE" sh "$@""#;

/// Has another name, and of this machine its libraries alone. Whoever owns `/` here need not be anybody there, and what is
/// loaded must be in directories of nobody else's, so the root is a new one.
const INSIDE: &str = r#"
case "$KEPT/" in /mnt/*) root=/media ;; *) root=/mnt ;; esac
PATH=$PATH:/usr/sbin:/sbin
hostname elsewhere.invalid
mount -t tmpfs -o mode=755 none "$root" || exit 1
for place in /usr/lib /usr/lib64 /usr/local/lib /lib /lib64 /proc /dev "$KEPT"; do
    if [ -h "$place" ]; then
        ln -s "$(readlink "$place")" "$root$place"
    elif [ -d "$place" ]; then
        mkdir -p "$root$place" && mount --rbind "$place" "$root$place"
    fi
done
unset INSIDE NAMESPACES KEPT
exec chroot "$root" /proc/self/fd/9 "$@""#;

/// The same program on another machine, where this one lets users make such. The directory `kept` is there too.
pub(crate) fn program(here: &HostProgram, kept: OsString) -> HostProgram {
    let namespaces = if rustix::process::geteuid().is_root() {
        "--mount --uts"
    } else {
        "--mount --uts --map-root-user"
    };
    let program = if here.program.ends_with("proc/self/exe") {
        // The shell would take it for itself.
        format!("/proc/{}/exe", process::id()).into()
    } else {
        here.program.clone().into_os_string()
    };
    let mut there = here.clone();
    there.program = "sh".into();
    there.arguments = vec!["-c".into(), OUTSIDE.into(), "sh".into(), program];
    there.arguments.extend(here.arguments.iter().cloned());
    let variables = [
        ("NAMESPACES", namespaces.into()),
        ("INSIDE", INSIDE.into()),
        ("KEPT", kept),
    ];
    let variables = variables.map(|(name, value)| (name.into(), Some(value)));
    there.surroundings.environment.extend(variables);
    there
}
