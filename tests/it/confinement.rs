//! A task that says what it can live with has no more than that.

mod trespass;

use crate::{
    attempts::wait_until,
    farm::{Farm, Ran, called_by},
    trusted::as_plain_user,
    unruly,
};
use rustix::process::geteuid;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use taskbay_core::Confinement;
use trespass::{CUTTING, assert_confined, assert_ends, lacking};

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
        self.farm.path(&attempts_in(&self.farm)[0])
    }

    fn files(&self) -> Vec<String> {
        names_in(&self.work_directory())
    }
}

/// What is in a directory.
fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// The work directories of attempts.
fn attempts_in(farm: &Farm) -> Vec<String> {
    let mut names = names_in(&farm.path(""));
    names.retain(|name| name.starts_with("taskbay-"));
    names
}

impl Drop for Other {
    fn drop(&mut self) {
        fs::write(self.farm.path("meeting/go"), "").unwrap();
        self.attempt.wait().unwrap();
    }
}

/// Runs the command where cores may be dumped.
fn with_cores(command: &Command) -> Command {
    let script = "ulimit -c unlimited; exec \"$@\"";
    called_by("sh", &["-c", script, "sh"], command)
}

/// The command that has a task trespass.
fn trespassing(farm: &Farm, fault: &str, other: &Other, more: &[&str]) -> Command {
    let name = unruly::name(fault);
    let mut arguments = vec!["-v", "run", &name, r#"{"action": "trespass"}"#];
    arguments.extend(more);
    let mut command = farm.command(&arguments);
    command.env("TASKBAY_TEST_OTHER", other.work_directory());
    with_cores(&command)
}

fn trespass(farm: &Farm, fault: &str, other: &Other, more: &[&str]) -> Ran {
    Ran::of(&mut trespassing(farm, fault, other, more))
}

/// The contrast to the others: what they are kept from is there for the taking.
#[test]
fn a_task_that_says_nothing_is_not_confined() {
    let (farm, other) = (farm("fine"), Other::start());
    let ran = trespass(&farm, "fine", &other, &[]);
    ran.succeeds();
    assert_confined(&ran, Confinement::None, &[]);
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
        assert_confined(&ran, Confinement::Strict, &lacking);
        assert_ends(&ran, "a device", "refused");
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
    assert_confined(&ran, Confinement::Limits, &[]);
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
        let left = attempts_in(&farm);
        assert!(left.is_empty(), "{left:?}");
    }
}

/// What confinement refuses a plugin costs its own attempt, and is no reason to set it aside.
#[test]
fn a_plugin_that_confinement_ends_is_not_set_aside() {
    if lacking().is_none() {
        return;
    }
    let farm = farm("strict-needs-home");
    fs::create_dir_all(farm.path("home")).unwrap();
    let ran = farm.run(&["run", &unruly::name("strict-needs-home"), "{}", "--json"]);
    assert_eq!(ran.json()["errors"][0]["code"], "crashed", "{ran:?}");
    let quarantined = farm.run(&["quarantine", "list", "--json"]);
    let names = quarantined.succeeds().stdout.contains("needs-home");
    assert!(!names, "{quarantined:?}");
}

/// Whoever wants a debugger gets one, and is told.
#[test]
fn a_task_in_this_process_is_not_confined_and_that_is_said() {
    let (farm, other) = (farm("strict"), Other::start());
    let ran = trespass(&farm, "strict", &other, &["--in-process", "--keep"]);
    assert_confined(ran.succeeds(), Confinement::None, &[]);
    let told = format!(
        "the task `{}` is not confined: it runs in this process",
        unruly::name("strict")
    );
    assert!(ran.stderr.contains(&told), "{ran:#?}");
    let kept = names_in(&farm.path(&attempts_in(&farm)[0]));
    assert!(!kept.contains(&".tmp".to_owned()), "{kept:?}");
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

/// What the kernel cannot do is said, once, and the rest is done. An operator sees it in the worker's metadata.
#[test]
fn a_kernel_without_landlock_is_told_of() {
    let (farm, other) = (farm("strict"), Other::start());
    let without_landlock = ["-e", WITHOUT_LANDLOCK];
    let command = trespassing(&farm, "strict", &other, &[]);
    let ran = Ran::of(&mut called_by("perl", &without_landlock, &command));
    if ran.code == Some(77) {
        taskbay_test::skip("no number of prctl for this machine");
        return;
    }
    assert_ends(ran.succeeds(), "home", "done");
    assert_ends(&ran, "a core dump", "refused");
    assert_ends(&ran, "privileges", "refused");
    let told = "the kernel does not keep an attempt from writing outside its work directory";
    assert_eq!(ran.stderr.matches(told).count(), 1, "{ran:#?}");

    let analyze = farm.command(&["analyze"]);
    let said = Ran::of(&mut called_by("perl", &without_landlock, &analyze)).json();
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
