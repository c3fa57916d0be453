//! Whom files must belong to, tried as root and as a plain user, and where copies cannot be executed.

use crate::{
    farm::{Farm, Ran, built},
    rejected::{assert_rejected, check, noop},
};
use rustix::process::geteuid;
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown, lchown, symlink},
    path::Path,
    process::Command,
};
use taskbay_test::skip;

/// The user and group `nobody`.
const NOBODY: u32 = 65534;
/// A user that nobody is.
const STRANGER: u32 = 65533;

/// Runs a command as a plain user; where root runs the tests, as `nobody`.
pub(crate) fn as_plain_user(farm: &Farm, arguments: &[&str]) -> Ran {
    let mut command = farm.command(arguments);
    if !geteuid().is_root() {
        return Ran::of(&mut command);
    }
    // The binary lies where only root may look, so a copy is run.
    let program = farm.path("taskbay");
    if !program.exists() {
        // Not by this process: what another test starts meanwhile would hold the copy open, and it could not be run.
        let copied = Command::new("cp")
            .arg(built().join("taskbay"))
            .arg(&program)
            .status();
        assert!(copied.unwrap().success());
    }
    let home = farm.path("home-of-nobody");
    if !home.exists() {
        fs::create_dir(&home).unwrap();
        chown(&home, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let mut plain = Command::new("setpriv");
    plain
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(program)
        .args(command.get_args())
        .env("TASKBAY_PLUGIN_PATH", farm.plugins())
        .env("HOME", home)
        .current_dir("/");
    Ran::of(&mut plain)
}

fn rows(ran: &Ran) -> Vec<Value> {
    ran.succeeds().json()["tasks"].as_array().unwrap().clone()
}

fn is_root() -> bool {
    let is_root = geteuid().is_root();
    if !is_root {
        skip("only root can give files away");
    }
    is_root
}

#[test]
fn writable_by_others() {
    let open = |mode| {
        move |file: &Path| {
            fs::write(file, noop()).unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    check(open(0o666), "is writable by everybody");
    check(open(0o664), "is writable by its group");
    let farm = Farm::with(&["noop"]);
    fs::set_permissions(farm.plugins(), fs::Permissions::from_mode(0o777)).unwrap();
    assert_rejected(
        &farm.row("libtaskbay_task_noop.so", false),
        "plugins is writable by everybody",
    );
    farm.run(&["run", "noop", "{}"])
        .fails(3, &["1 are not used"]);
    farm.run(&["run", "noop", "{}", "--allow-insecure"])
        .succeeds();
}

/// Whoever may replace a link decides what is loaded, as much as whoever may replace its target.
#[test]
fn a_link_where_others_may_write() {
    let farm = Farm::with(&["noop"]);
    let open = farm.path("open");
    fs::create_dir(&open).unwrap();
    let link = open.join("link.so");
    symlink(farm.plugins().join("libtaskbay_task_noop.so"), &link).unwrap();
    let list = |farm: &Farm| {
        let mut command = farm.command(&["list", "--json"]);
        Ran::of(command.env("TASKBAY_PLUGIN_PATH", &open)).json()["tasks"][0].clone()
    };
    assert_eq!(list(&farm)["status"], "ok");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    assert_rejected(&list(&farm), "open is writable by everybody");
    farm.run(&["inspect", link.to_str().unwrap()])
        .fails(4, &["open is writable by everybody"]);
}

/// Every link on the way counts, also one to the plugin directory.
#[test]
fn links_on_the_way() {
    let farm = Farm::with(&["noop"]);
    let (open, links) = (farm.path("open"), farm.path("links"));
    fs::create_dir(&open).unwrap();
    fs::create_dir(&links).unwrap();
    let noop = farm.plugins().join("libtaskbay_task_noop.so");
    symlink(noop, open.join("middle.so")).unwrap();
    symlink(open.join("middle.so"), links.join("first.so")).unwrap();
    symlink("../plugins", open.join("directory")).unwrap();
    let row = |directory: &Path| {
        let mut command = farm.command(&["list", "--json"]);
        Ran::of(command.env("TASKBAY_PLUGIN_PATH", directory)).json()["tasks"][0].clone()
    };
    let ways = [links.clone(), open.join("directory")];
    let set = |mode| fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
    for way in &ways {
        assert_eq!(row(way)["status"], "ok", "{}", way.display());
    }
    set(0o777);
    for way in &ways {
        assert_rejected(&row(way), "open is writable by everybody");
    }
    farm.run(&["inspect", links.join("first.so").to_str().unwrap()])
        .fails(4, &["open is writable by everybody"]);
    // In a sticky folder a link can be replaced by its owner alone.
    set(0o1777);
    for way in &ways {
        assert_eq!(row(way)["status"], "ok", "{}", way.display());
    }
    if is_root() {
        lchown(open.join("middle.so"), Some(STRANGER), None).unwrap();
        assert_rejected(&row(&links), "middle.so belongs to user");
    }
}

#[test]
fn owned_by_another() {
    if !is_root() {
        return;
    }
    let given = |file: &Path| {
        fs::write(file, noop()).unwrap();
        chown(file, Some(NOBODY), None).unwrap();
    };
    check(given, "belongs to user 65534");
}

/// A plain user trusts its own files and root's, and root only its own.
#[test]
fn a_plain_user_trusts_itself_and_root() {
    if !is_root() {
        return;
    }
    let farm = Farm::with(&["noop"]);
    let file = farm.plugins().join("libtaskbay_task_noop.so");
    let arguments = ["list", "--load", "--json"];
    for (owner, status_as_root, status_as_nobody) in [
        (0, "ok", "ok"),
        (NOBODY, "rejected", "ok"),
        (STRANGER, "rejected", "rejected"),
    ] {
        chown(&file, Some(owner), None).unwrap();
        let as_root = &rows(&farm.run(&arguments))[0];
        let as_nobody = &rows(&as_plain_user(&farm, &arguments))[0];
        assert_eq!(as_root["status"], status_as_root, "{owner}: {as_root}");
        assert_eq!(
            as_nobody["status"], status_as_nobody,
            "{owner}: {as_nobody}"
        );
    }
    chown(&file, Some(0), None).unwrap();
    chown(farm.plugins(), Some(STRANGER), None).unwrap();
    for ran in [farm.run(&arguments), as_plain_user(&farm, &arguments)] {
        assert_rejected(&rows(&ran)[0], "plugins belongs to user 65533");
    }
}

/// As a plain user: root reads everything.
#[test]
fn unreadable() {
    let farm = Farm::with(&["noop"]);
    let bad = farm.plugins().join("bad.so");
    fs::write(&bad, noop()).unwrap();
    fs::set_permissions(&bad, fs::Permissions::from_mode(0o000)).unwrap();
    let list = || as_plain_user(&farm, &["list", "--json"]);
    let listed = rows(&list());
    assert_rejected(&listed[0], "it cannot be read: Permission denied");
    assert_eq!(listed[1]["status"], "ok", "{listed:#?}");
    if geteuid().is_root() {
        fs::set_permissions(farm.plugins(), fs::Permissions::from_mode(0o700)).unwrap();
        let ran = list();
        ran.succeeds();
        assert_eq!(ran.json()["findings"].as_array().unwrap().len(), 1);
        assert!(ran.stderr.contains("plugin directory"), "{ran:?}");
    }
}

/// Whether this user may have mounts of its own.
pub(crate) fn can_mount() -> bool {
    can_mount_by(Command::new("unshare").args(["--mount", "true"]))
}

/// Whether a plain user may, as root of namespaces of its own.
pub(crate) fn can_plain_user_mount() -> bool {
    let mut command = Command::new("unshare");
    if geteuid().is_root() {
        command = Command::new("setpriv");
        command.args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "unshare",
        ]);
    }
    can_mount_by(command.args(["--mount", "--uts", "--map-root-user", "true"]))
}

/// Whether verdicts are asked for on what is another machine to the plugin: without namespaces there is none, and no level
/// above 1 is proven.
pub(crate) fn can_be_asked_elsewhere() -> bool {
    if geteuid().is_root() {
        can_mount()
    } else {
        can_plain_user_mount()
    }
}

fn can_mount_by(unshare: &mut Command) -> bool {
    let tried = unshare.output();
    let why = match tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    skip(format_args!(
        "there are no mounts of its own here: unshare: {why}"
    ));
    false
}

/// Where the copies lie on a file system that executes nothing, that is said, with what to do.
#[test]
fn copies_that_cannot_be_executed() {
    /// What the shell ends with when it cannot mount; the command itself never does.
    const NO_MOUNT: i32 = 77;
    if !can_mount() {
        return;
    }
    let farm = Farm::with(&["noop"]);
    let cache = farm.path("cache");
    fs::create_dir(&cache).unwrap();
    let command = farm.command(&["list", "--load", "--json"]);
    let mut apart = Command::new("unshare");
    let mount = format!(
        "mount -t tmpfs -o noexec,mode=700 none \"$TASKBAY_CACHE_DIR\" || exit {NO_MOUNT}; exec \"$@\""
    );
    apart
        .args(["--mount", "sh", "-c", &mount, "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .env("TASKBAY_PLUGIN_PATH", farm.plugins())
        .env("TASKBAY_CACHE_DIR", &cache);
    let ran = Ran::of(&mut apart);
    if ran.code == Some(NO_MOUNT) {
        skip(format_args!("nothing can be mounted here: {}", ran.stderr));
        return;
    }
    let row = &rows(&ran)[0];
    assert_rejected(row, "failed to map segment");
    assert!(
        row["help"].as_str().unwrap().contains("TASKBAY_CACHE_DIR"),
        "{row}"
    );
}
