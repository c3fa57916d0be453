use super::*;
use crate::{BINARIES, EnvironmentLookup, Executor, Input, files_of};
use std::{
    collections::BTreeSet,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use taskbay_plugin_api::{Abort, Lookups, run, run_to_file};
use taskbay_test::{FakeServer, artifact, skip};

/// What the small system of these tests consists of, besides the libraries that they need.
const PROGRAMS: [&str; 7] = ["sh", "env", "id", "ls", "cat", "touch", "sleep"];

/// A tarball of programs of this machine; a real system takes minutes to make.
fn small_system(directory: &Path) -> PathBuf {
    let mut files = BTreeSet::new();
    for program in PROGRAMS {
        let program = format!("/usr/bin/{program}");
        let libraries = Command::new("ldd").arg(&program).output().unwrap();
        let libraries = String::from_utf8(libraries.stdout).unwrap();
        let paths = libraries.split_whitespace();
        files.extend(
            paths
                .filter(|word| word.starts_with('/'))
                .map(str::to_owned),
        );
        files.insert(program);
    }
    let tarball = directory.join("system.tar");
    let made = Command::new("tar")
        .args([
            "--create",
            "--dereference",
            "--absolute-names",
            "--transform",
            "s,^/,./,",
        ])
        .arg("--file")
        .arg(&tarball)
        .args(files)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    tarball
}

/// Unpacks an artifact of that category with the small system, where this machine can.
fn with_environment(test: impl FnOnce(&Context, Environment)) {
    if let Some(why) = why_not_unshare() {
        skip(why);
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let system = artifact(EnvironmentLookup::CATEGORY, vec![small_system(top.path())]);
    let work = top.path().join("work");
    fs::create_dir(&work).unwrap();
    let package = top.path().join("tiny_1_all.deb");
    fs::write(&package, "a package\n").unwrap();
    set_mode(&package, 0o600).unwrap();
    let package = artifact("debian:binary-package", vec![package]);
    let server = Arc::new(FakeServer::new(vec![system, package]));
    let context = Context::new(&work, Abort::new()).with_server(server);
    let environment = Environment::unpack(&context, &Lookup::Id(1), None).unwrap();
    assert_eq!(environment.artifact(), 1);
    test(&context, environment);
    let left: Vec<_> = fs::read_dir(&work)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(!left.contains(&"environment".into()), "{left:?}");
}

/// What a shell script inside prints.
fn said(context: &Context, environment: &Environment, script: &str) -> String {
    let output = context.work_directory().join("output");
    let mut inside = Command::new("sh");
    inside.args(["-c", script]).env("GREETING", "hello world");
    let status = run_to_file(
        environment.context(),
        &mut environment.command(&inside),
        &output,
    );
    assert!(status.unwrap().success());
    fs::read_to_string(output).unwrap()
}

#[test]
fn commands_are_root_in_a_system_of_their_own() {
    with_environment(|context, environment| {
        let said = |script: &str| said(context, &environment, script);
        assert_eq!(
            said("id -u; id -g; echo $GREETING; echo $$").lines().next(),
            Some("0")
        );
        assert_eq!(
            said("echo $GREETING; echo ${LOGNAME-none}"),
            "hello world\nnone\n"
        );
        assert_eq!(
            said("echo gone >/dev/null; ls -d /root /work /home 2>/dev/null; cat </dev/null"),
            ""
        );
        // Itself, the shell that waits for it, and none of this machine's.
        assert_eq!(said("for each in /proc/[0-9]*; do echo; done").len(), 2);
        assert_eq!(
            said("cat /etc/resolv.conf"),
            fs::read_to_string("/etc/resolv.conf").unwrap_or_default()
        );
        said("touch /made; ls /made");
        assert_eq!(said("ls /made"), "/made\n");
    });
}

#[test]
fn a_command_that_cannot_start_has_no_result() {
    with_environment(|context, environment| {
        let executor = Executor::within(context, Some(environment));
        let mut fails = Command::new("sh");
        let status = executor.run(fails.args(["-c", "exit 3"])).unwrap();
        assert_eq!(status.code(), Some(3));
        let error = executor.run(&Command::new("none")).unwrap_err().message();
        assert!(
            error.contains("the environment cannot run `none`"),
            "{error}"
        );
        // Only root may do that from outside.
        let proc = context.work_directory().join("environment/tree/root/proc");
        if fs::remove_dir(proc).is_ok() {
            let error = executor.run(&Command::new("id")).unwrap_err().message();
            assert!(error.contains("cannot run `id`"), "{error}");
        }
    });
}

#[test]
fn what_is_shared_has_the_same_path_and_is_not_changed() {
    with_environment(|context, environment| {
        let file = environment.share().join("input.txt");
        fs::write(&file, "from outside\n").unwrap();
        let script = format!(
            "cat {0}; cat input.txt; touch {0}.x 2>/dev/null || echo refused",
            file.display()
        );
        let said = said(context, &environment, &script);
        assert_eq!(said, "from outside\nfrom outside\nrefused\n");
    });
}

#[test]
fn what_is_fetched_can_be_read_inside() {
    with_environment(|context, environment| {
        let executor = Executor::within(context, Some(environment));
        let named = Lookups::from_iter([Lookup::Id(2)]);
        let packages = Input::fetch_all_for(&executor, ("/in", &named), BINARIES, "in").unwrap();
        let output = context.work_directory().join("output");
        let mut cat = Command::new("cat");
        cat.args(files_of(&packages).unwrap());
        executor.must_to_file(&cat, &output).unwrap();
        assert_eq!(fs::read_to_string(output).unwrap(), "a package\n");
    });
}

/// The mask is one of the whole process.
#[test]
fn a_worker_whose_files_are_its_own_has_environments() {
    let test = "environment::tests::what_is_fetched_can_be_read_inside";
    let mut masked = Command::new("sh");
    masked.args(["-c", r#"umask 077; exec "$0" --exact "$@""#]);
    let output = masked
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
fn an_abort_ends_all_that_was_started_inside() {
    with_environment(|context, environment| {
        let abort = context.abort().clone();
        let aborter = thread::spawn(move || {
            thread::sleep(Duration::from_secs(1));
            abort.set();
        });
        let started = Instant::now();
        let mut inside = Command::new("sh");
        inside.args(["-c", "trap '' TERM; sleep 4321 & sleep 4321"]);
        let error = run(environment.context(), &mut environment.command(&inside)).unwrap_err();
        assert!(error.message().starts_with("aborted"), "{error:?}");
        assert!(started.elapsed() < Duration::from_mins(1));
        aborter.join().unwrap();
        let processes = Command::new("ps").args(["-eo", "args"]).output().unwrap();
        let processes = String::from_utf8_lossy(&processes.stdout).into_owned();
        assert!(!processes.contains("sleep 4321"), "{processes}");
    });
}

#[test]
fn a_broken_tarball_is_an_error_that_names_it() {
    if why_not_unshare().is_some() {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let broken = top.path().join("broken.tar.xz");
    fs::write(&broken, "no tarball").unwrap();
    let work = top.path().join("work");
    fs::create_dir(&work).unwrap();
    let server = FakeServer::new(vec![artifact("file", vec![broken])]);
    let context = Context::new(&work, Abort::new()).with_server(Arc::new(server));
    let error = Environment::unpack(&context, &Lookup::Id(1), None).unwrap_err();
    let wanted = "cannot unpack the environment broken.tar.xz: ";
    assert!(error.message().starts_with(wanted), "{error:?}");
    assert_eq!(fs::read_dir(&work).unwrap().count(), 0);
}
