//! A task that says what it can live with has no more than that.

use crate::{
    attempts::wait_until,
    farm::{Farm, Ran},
    trusted::as_plain_user,
    unruly,
};
use rustix::process::geteuid;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// What every attempt can do that is not confined, and a strict one cannot.
const OUTSIDE: [&str; 12] = [
    "home",
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "another's file",
    CUTTING,
    "moving in",
    "moving out",
    "another's directory",
    "a thread",
    "a shell",
    SIGNAL,
];
/// What takes Linux 6.2.
const CUTTING: &str = "cutting another's";
/// What takes Linux 6.12.
const SIGNAL: &str = "a signal";

/// What no task has its server do, which is not confined.
const BY_THE_SERVER: [&str; 6] = [
    "fetching home",
    "fetching by a link",
    "fetching by a folder",
    "an upload",
    "an upload by a link",
    "an upload that waits",
];

/// What of [`OUTSIDE`] this kernel keeps nobody from, as the worker says. None where it holds back nothing at all.
fn lacking() -> Option<Vec<&'static str>> {
    let said = Farm::with(&[]).run(&["analyze"]).json();
    if said["system:confinement"] == "strict" {
        return Some(Vec::new());
    }
    let reason = said["system:confinement:reason"].as_str().unwrap();
    eprintln!("skipped in whole or in part: {reason}");
    if reason.starts_with("the kernel is older than Linux 6.2:") {
        return Some(vec![CUTTING, SIGNAL]);
    }
    if reason.starts_with("the kernel is older than Linux 6.12:") {
        return Some(vec![SIGNAL]);
    }
    assert!(reason.starts_with("the kernel does not keep"), "{reason}");
    None
}

fn farm(fault: &str) -> Farm {
    let farm = Farm::with(&[]);
    farm.add_unruly(fault);
    farm
}

/// An attempt of a task that waits, with a file in its work directory. It ends when it is told to.
struct Other {
    farm: Farm,
    attempt: Child,
}

impl Other {
    fn start() -> Self {
        let farm = farm("fine");
        fs::create_dir(farm.path("meeting")).unwrap();
        let mut command = farm.command(&["run", &unruly::name("fine"), r#"{"action": "meet"}"#]);
        command
            .env("TASKBAY_TEST_MEETING", farm.path("meeting"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let attempt = command.spawn().unwrap();
        wait_until("the other is there", || farm.path("meeting/here").exists());
        let other = Self { farm, attempt };
        fs::write(other.work_directory().join("theirs"), "a result").unwrap();
        other
    }

    fn work_directory(&self) -> PathBuf {
        let entries = fs::read_dir(self.farm.path("")).unwrap();
        let mut paths = entries.map(|entry| entry.unwrap().path());
        let is_it = |path: &PathBuf| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("taskbay-")
        };
        paths.find(is_it).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.work_directory()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        fs::write(self.farm.path("meeting/go"), "").unwrap();
        self.attempt.wait().unwrap();
    }
}

/// Runs the command where cores may be dumped.
fn with_cores(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(command.get_current_dir().unwrap_or(Path::new("/")));
    shell
}

fn trespass(farm: &Farm, fault: &str, other: &Other, more: &[&str]) -> Ran {
    let name = unruly::name(fault);
    let mut arguments = vec!["-v", "run", &name, r#"{"action": "trespass"}"#];
    arguments.extend(more);
    let mut command = farm.command(&arguments);
    command.env("TASKBAY_TEST_OTHER", other.work_directory());
    Ran::of(&mut with_cores(&command))
}

/// How reaching for that ended.
#[track_caller]
fn ended<'r>(ran: &'r Ran, what: &str) -> &'r str {
    let line = ran.stderr.lines().find_map(|line| {
        let (_, end) = line.split_once(&format!(" {what}: "))?;
        Some(end)
    });
    line.unwrap_or_else(|| panic!("nothing of {what:?} in {ran:#?}"))
}

#[track_caller]
fn assert_ends(ran: &Ran, what: &str, end: &str) {
    assert!(ended(ran, what).starts_with(end), "{what}: {ran:#?}");
}

/// The contrast to the others: what they are kept from is there for the taking.
#[test]
fn a_task_that_says_nothing_is_not_confined() {
    let (farm, other) = (farm("fine"), Other::start());
    let ran = trespass(&farm, "fine", &other, &[]);
    ran.succeeds();
    for what in OUTSIDE {
        assert_ends(&ran, what, "done");
    }
    assert_ends(&ran, "a core dump", "done");
    if geteuid().is_root() {
        assert_ends(&ran, "privileges", "done");
    }
    assert_eq!(other.files(), ["not-theirs"]);
}

/// Nothing outside its work directory is made, changed or removed, by none of its threads and processes, also where root
/// executes it.
#[test]
fn a_strict_task_has_its_work_directory_alone() {
    let Some(lacking) = lacking() else {
        return;
    };
    for fault in ["strict", "strict-early-thread"] {
        let (farm, other) = (farm(fault), Other::start());
        let ran = trespass(&farm, fault, &other, &[]);
        ran.succeeds();
        for what in OUTSIDE.iter().filter(|what| !lacking.contains(*what)) {
            assert_ends(&ran, what, "refused");
        }
        for what in BY_THE_SERVER {
            assert_ends(&ran, what, "refused");
        }
        assert_ends(&ran, "a device", "refused");
        assert_ends(&ran, "a core dump", "refused");
        assert_ends(&ran, "privileges", "refused");
        if fault != "strict" {
            assert_ends(&ran, "an early thread", "refused");
        }
        if geteuid().is_root() {
            assert_ends(&ran, "privileges", "refused, it ran as 65534");
        }
        assert_eq!(other.files(), ["theirs"]);
        let theirs = fs::read(other.work_directory().join("theirs")).unwrap();
        assert!(theirs == b"a result" || lacking.contains(&CUTTING));
        assert_eq!(ran.stderr.contains("WARN"), !lacking.is_empty(), "{ran:#?}");
    }
}

/// No core is dumped, and the rest is as it was.
#[test]
fn limits_take_no_privileges() {
    let (farm, other) = (farm("limits"), Other::start());
    let ran = trespass(&farm, "limits", &other, &[]);
    ran.succeeds();
    for what in OUTSIDE {
        assert_ends(&ran, what, "done");
    }
    assert_ends(&ran, "a core dump", "refused");
    if geteuid().is_root() {
        assert_ends(&ran, "privileges", "done");
    }
}

/// Making, moving, linking and removing in the work directory, temporary files, devices, and reading what is elsewhere.
#[test]
fn a_confined_task_can_work() {
    for fault in ["limits", "strict"] {
        let farm = farm(fault);
        let name = unruly::name(fault);
        let arguments = ["run", &name, r#"{"action": "stay-home"}"#];
        farm.run(&arguments).succeeds();
        as_plain_user(&farm, &arguments).succeeds();
        let left: Vec<_> = fs::read_dir(farm.path(""))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name.to_string_lossy().starts_with("taskbay-"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// Whoever wants a debugger gets one, and is told.
#[test]
fn a_task_in_this_process_is_not_confined_and_that_is_said() {
    let (farm, other) = (farm("strict"), Other::start());
    let ran = trespass(&farm, "strict", &other, &["--in-process"]);
    for what in BY_THE_SERVER {
        assert_ends(&ran, what, "refused");
    }
    assert_ends(ran.succeeds(), "home", "done");
    let told = format!(
        "the task `{}` is not confined: it runs in this process",
        unruly::name("strict")
    );
    assert!(ran.stderr.contains(&told), "{ran:#?}");
}

/// A kernel without Landlock, as far as processes can tell, from here on.
const WITHOUT_LANDLOCK: &str = r#"
    my %prctl = (x86_64 => 157, aarch64 => 167);
    chomp(my $machine = `uname -m`);
    my $prctl = $prctl{$machine} or exit 77;
    # Load the system call's number; is it landlock_create_ruleset? Then ENOSYS, else as ever.
    my $filter = pack("SCCL" x 4, 0x20, 0, 0, 0, 0x15, 0, 1, 444, 0x06, 0, 0, 0x50000 | 38, 0x06, 0, 0, 0x7fff0000);
    my $program = pack("Sx![Q]P", 4, $filter);
    # Root needs none, and then it is seen who sets them.
    $> == 0 or syscall($prctl, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
    syscall($prctl, 22, 2, $program) == 0 or die "seccomp: $!";
    exec @ARGV or die "exec: $!";
"#;

fn without_landlock(command: &Command) -> Command {
    let mut perl = Command::new("perl");
    perl.args(["-e", WITHOUT_LANDLOCK])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(command.get_current_dir().unwrap_or(Path::new("/")));
    perl
}

/// What the kernel cannot do is said, once, and the rest is done. An operator sees it in the worker's metadata.
#[test]
fn a_kernel_without_landlock_is_told_of() {
    let (farm, other) = (farm("strict"), Other::start());
    let name = unruly::name("strict");
    let mut command = farm.command(&["-v", "run", &name, r#"{"action": "trespass"}"#]);
    command.env("TASKBAY_TEST_OTHER", other.work_directory());
    let ran = Ran::of(&mut without_landlock(&with_cores(&command)));
    if ran.code == Some(77) {
        eprintln!("skipped: no number of prctl for this machine");
        return;
    }
    assert_ends(ran.succeeds(), "home", "done");
    assert_ends(&ran, "a core dump", "refused");
    assert_ends(&ran, "privileges", "refused");
    let told = "the kernel does not keep an attempt from writing outside its work directory";
    assert_eq!(ran.stderr.matches(told).count(), 1, "{ran:#?}");

    let analyze = farm.command(&["analyze"]);
    let said = Ran::of(&mut without_landlock(&analyze)).json();
    assert_eq!(said["system:confinement"], "partial");
    let reason = said["system:confinement:reason"].as_str().unwrap();
    assert!(reason.starts_with(told), "{reason}");
}

/// A task that cannot say what it can live with is not configured.
#[test]
fn a_panic_in_what_it_declares_is_caught() {
    let farm = farm("confinement-panics");
    let name = unruly::name("confinement-panics");
    farm.run(&["validate", &name, "{}"])
        .fails(5, &["confinement panics"]);
}
