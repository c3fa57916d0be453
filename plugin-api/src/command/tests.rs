use super::*;
use std::fs;
use taskbay_core::Abort;

fn context(abort: &Abort) -> Context {
    Context::new("/", abort.clone())
}

#[test]
fn finds_programs_and_only_those() {
    assert!(is_available("sh"));
    assert!(!is_available("taskbay-has-no-such-program"));
    assert!(!is_available("etc"));
}

#[test]
fn gives_the_exit_status() {
    let context = context(&Abort::new());
    let status = run(
        &context,
        Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]),
    );
    assert_eq!(status.unwrap().code(), Some(3));
    let error = run(&context, &mut Command::new("taskbay-has-no-such-program")).unwrap_err();
    assert!(
        error
            .message()
            .starts_with("cannot run `taskbay-has-no-such-program`")
    );
}

#[test]
fn keeps_what_it_prints_in_files() {
    let files = tempfile::tempdir().unwrap();
    let (output, errors) = (files.path().join("out"), files.path().join("err"));
    let script = "echo out; printf 'one\\ntwo' >&2; exit 3";
    let mut command = Command::new("sh");
    let command = command.args(["-c", script]);
    let status = run_to_files(&context(&Abort::new()), command, &output, &errors);
    assert_eq!(status.unwrap().code(), Some(3));
    assert_eq!(fs::read_to_string(output).unwrap(), "out\n");
    assert_eq!(fs::read_to_string(errors).unwrap(), "one\ntwo");
}

#[test]
fn what_it_says_is_heard_line_by_line() {
    let mut heard = Vec::new();
    let script = "echo out; echo one >&2; echo two >&2";
    let files = [Some(Path::new("/dev/null")), None];
    let mut command = Command::new("sh");
    let command = command.args(["-c", script]);
    let hear = |line: &str| heard.push(line.to_owned());
    run_heard(&context(&Abort::new()), command, files, hear).unwrap();
    assert_eq!(heard, ["one", "two"]);
}

#[test]
fn a_line_without_end_comes_in_pieces() {
    let long = vec![b'x'; 150 * 1024];
    let mut source = BufReader::new(b"short\n".chain(&long[..]).chain(&b"\nlast"[..]));
    let mut line = Vec::new();
    let mut lengths = Vec::new();
    while read_line(&mut source, &mut line).unwrap() > 0 {
        lengths.push(line.len());
    }
    assert_eq!(lengths, [6, 64 * 1024, 64 * 1024, 22 * 1024 + 1, 4]);
}

#[test]
fn an_abort_ends_a_command_and_what_it_started() {
    let abort = Abort::new();
    let context = context(&abort);
    let started = Instant::now();
    let aborter = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        abort.set();
    });
    let error = run(
        &context,
        Command::new("sh").args(["-c", "sleep 60 & sleep 60"]),
    )
    .unwrap_err();
    assert_eq!(error.message(), "aborted while running `sh`");
    assert!(started.elapsed() < Duration::from_secs(30));
    aborter.join().unwrap();
    let error = run(&context, &mut Command::new("true")).unwrap_err();
    assert_eq!(error.message(), "aborted while running `true`");
}

#[test]
fn a_process_left_behind_does_not_hold_it_up() {
    let context = context(&Abort::new());
    let started = Instant::now();
    let status = run(
        &context,
        Command::new("sh").args(["-c", "sleep 20 & exit 0"]),
    );
    assert!(status.unwrap().success());
    assert!(started.elapsed() < Duration::from_secs(10));
}
