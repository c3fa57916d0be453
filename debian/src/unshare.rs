//! Namespaces in which a user without privileges is root: whether this machine has them, commands in them, and what
//! they leave behind.

use rustix::process::geteuid;
use std::{fs, io, path::Path, process::Command};
use taskbay_plugin_api::is_available;

/// How many users a namespace has; Debian's packages use all up to 65534.
const USERS: u64 = 65536;

/// Becomes root of the subordinate users, in namespaces of its own that end with the command.
const ENTER: [&str; 12] = [
    "--user",
    "--map-users=auto",
    "--map-groups=auto",
    "--setuid=0",
    "--setgid=0",
    "--mount",
    "--pid",
    "--ipc",
    "--uts",
    "--fork",
    "--kill-child",
    "--",
];

/// Why commands cannot run here as root of a user namespace; none where they can.
pub fn why_not_unshare() -> Option<String> {
    let mut tools = ["unshare", "newuidmap", "newgidmap"].into_iter();
    if let Some(tool) = tools.find(|tool| !is_available(tool)) {
        return Some(format!(
            "`{tool}` is missing: install util-linux and uidmap"
        ));
    }
    for limit in [
        "user/max_user_namespaces",
        "kernel/unprivileged_userns_clone",
    ] {
        let file = Path::new("/proc/sys").join(limit);
        if fs::read_to_string(&file).is_ok_and(|text| text.trim() == "0") {
            return Some(format!(
                "user namespaces are forbidden: {} is 0",
                file.display()
            ));
        }
    }
    let user = geteuid().as_raw();
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = name_of(user, &passwd);
    for file in ["/etc/subuid", "/etc/subgid"] {
        let ranges = fs::read_to_string(file).unwrap_or_default();
        if !has_range(&ranges, user, name) {
            let name = name.map_or_else(|| user.to_string(), str::to_owned);
            return Some(format!(
                "{file} has no range of {USERS} for `{name}`: add one with `usermod --add-subuids FIRST-LAST \
                 --add-subgids FIRST-LAST {name}`"
            ));
        }
    }
    None
}

fn name_of(user: u32, passwd: &str) -> Option<&str> {
    let mut entries = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let user = user.to_string();
    entries
        .find(|entry| entry.get(2) == Some(&user.as_str()))
        .map(|entry| entry[0])
}

fn has_range(ranges: &str, user: u32, name: Option<&str>) -> bool {
    let user = user.to_string();
    ranges.lines().any(|line| {
        let [owner, _, count] = line.split(':').collect::<Vec<_>>()[..] else {
            return false;
        };
        (owner == user || Some(owner) == name)
            && count
                .trim()
                .parse::<u64>()
                .is_ok_and(|count| count >= USERS)
    })
}

/// A shell script that runs as root of namespaces of its own. It starts in the caller's directory, which it need not be
/// able to reach by its path.
pub(crate) fn script(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(ENTER).args(["sh", "-euc", script, "sh"]);
    command
}

/// A program that mounts things, whose mounts end with it: root gets a mount namespace of its own. Others have no mounts but
/// in namespaces, which are the program's own matter.
pub fn mounting(program: &str) -> Command {
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("unshare");
    command.args(["--mount", "--", program]);
    command
}

/// Removes a directory in which there may be files of subordinate users.
///
/// # Errors
///
/// When something of it stays.
pub fn remove_tree(directory: &Path) -> io::Result<()> {
    let Err(error) = fs::remove_dir_all(directory) else {
        return Ok(());
    };
    // Here the caller is root, and its subordinate users are the others.
    let mut remove = Command::new("unshare");
    remove.args([
        "--user",
        "--map-root-user",
        "--map-users=auto",
        "--map-groups=auto",
    ]);
    remove
        .args(["rm", "-rf", "--one-file-system", "--"])
        .arg(directory);
    remove.output().ok();
    match directory.try_exists() {
        Ok(false) => Ok(()),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_of_a_name_or_a_number_and_large_enough() {
        let passwd = "root:x:0:0::/:\nfarm:x:7:7::/:\n";
        assert_eq!(name_of(7, passwd), Some("farm"));
        assert_eq!(name_of(8, passwd), None);
        for (ranges, has) in [
            ("root:1:65536\nfarm:100000:65536\n", true),
            ("7:100000:65536\n", true),
            ("farm:100000:65535\n", false),
            ("root:1:65536\n", false),
            ("farm\n", false),
            ("", false),
        ] {
            assert_eq!(has_range(ranges, 7, Some("farm")), has, "{ranges:?}");
        }
    }

    #[test]
    fn removes_files_of_subordinate_users() {
        let top = tempfile::tempdir().unwrap();
        let directory = top.path().join("tree");
        fs::create_dir(&directory).unwrap();
        if let Some(why) = why_not_unshare() {
            taskbay_test::skip(why);
            return;
        }
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(&directory, open).unwrap();
        let mut make = script("mkdir -m 700 a; : > a/b; chown 33:33 a/b a");
        let output = make.current_dir(&directory).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(directory.join("a").exists());
        remove_tree(&directory).unwrap();
        assert!(!directory.exists());
        assert!(remove_tree(&directory).is_ok());
    }
}
