//! Commands that a task calls: what they say is logged, and an abort ends them.

use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};
use std::{
    env,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt, process::CommandExt},
    },
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    thread,
    time::{Duration, Instant},
};
use taskbay_core::{Context, TaskError};

/// How often the abort latch is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long a command has between TERM and KILL.
const GRACE: Duration = Duration::from_secs(5);
/// How long output may still come after the command has ended, from processes that it left behind.
const DRAIN: Duration = Duration::from_secs(1);
/// How many lines may wait to be logged; a command that says more waits.
const LINES: usize = 256;
/// A line that is longer is logged in pieces of this size, in bytes, one after another.
const LONGEST_LINE: u64 = 64 * 1024;

/// Whether a program of that name can be found in `PATH`.
pub fn is_available(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| {
        directory
            .join(program)
            .metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    })
}

/// Runs `command` to its end in the work directory, with all that it prints logged line by line at level info.
///
/// Its standard input is empty. On abort its process group gets TERM and, if it is still there five seconds later, KILL.
///
/// # Errors
///
/// When it cannot be started, or the attempt was aborted. An exit status that is not zero is no error.
pub fn run(context: &Context, command: &mut Command) -> Result<ExitStatus, TaskError> {
    run_heard(context, command, [None, None], |_| {})
}

/// Runs `command` as [`run`] does, with its standard output in the file `output` instead of the log.
///
/// # Errors
///
/// As [`run`], and when the file cannot be made.
pub fn run_to_file(
    context: &Context,
    command: &mut Command,
    output: &Path,
) -> Result<ExitStatus, TaskError> {
    run_heard(context, command, [Some(output), None], |_| {})
}

/// Runs `command` as [`run_to_file`] does, with its standard error in the file `errors` besides the log.
///
/// # Errors
///
/// As [`run`], and when a file cannot be made.
pub fn run_to_files(
    context: &Context,
    command: &mut Command,
    output: &Path,
    errors: &Path,
) -> Result<ExitStatus, TaskError> {
    run_heard(context, command, [Some(output), Some(errors)], |_| {})
}

/// Runs `command` as [`run`] does, with its standard output in the first file instead of the log, where there is one, and
/// its standard error in the second one besides the log. Each line that is logged is given to `hear`, too.
///
/// # Errors
///
/// As [`run`], and when a file cannot be made.
pub fn run_heard(
    context: &Context,
    command: &mut Command,
    [output, errors]: [Option<&Path>; 2],
    mut hear: impl FnMut(&str),
) -> Result<ExitStatus, TaskError> {
    match output {
        Some(file) => command.stdout(create(file)?),
        None => command.stdout(Stdio::piped()),
    };
    let errors = errors.map(create).transpose()?;
    supervise(context, command, errors, &mut |line| {
        log::info!("{line}");
        hear(line);
    })
}

fn create(file: &Path) -> Result<File, TaskError> {
    File::create(file)
        .map_err(|error| TaskError::new(format!("cannot write {}: {error}", file.display())))
}

fn supervise(
    context: &Context,
    command: &mut Command,
    errors: Option<File>,
    hear: &mut dyn FnMut(&str),
) -> Result<ExitStatus, TaskError> {
    if context.abort().is_set() {
        return Err(aborted(command));
    }
    log::info!("running: {}", words(command));
    command
        .current_dir(context.work_directory())
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0);
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .spawn()
        .map_err(|error| not_started(&program, &error))?;
    let (lines, said) = mpsc::sync_channel(LINES);
    if let Some(stdout) = child.stdout.take() {
        read_lines(stdout, None, lines.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        read_lines(stderr, errors, lines.clone());
    }
    drop(lines);
    let status = wait(context, &mut child, &said, hear)?;
    // The channel closes when the last of the readers has ended.
    let until = Instant::now() + DRAIN;
    loop {
        match said.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => hear(&line),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                log::warn!(
                    "`{program}` ended, and something that it started still holds its output"
                );
                break;
            }
        }
    }
    match status {
        Some(status) => Ok(status),
        None => Err(aborted(command)),
    }
}

fn not_started(program: &str, error: &io::Error) -> TaskError {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "; install it on the worker, or mend the PATH there",
        _ => "",
    };
    TaskError::new(format!("cannot run `{program}`: {error}{remedy}"))
}

/// Waits for the end of `child`, or ends it on abort: `None` then. What it says meanwhile is heard on this thread, which is
/// that of the attempt.
fn wait(
    context: &Context,
    child: &mut Child,
    said: &Receiver<String>,
    hear: &mut dyn FnMut(&str),
) -> io::Result<Option<ExitStatus>> {
    let pid = Pid::from_child(child);
    let handle = pidfd_open(pid, PidfdFlags::empty())?;
    let mut killed_at: Option<Instant> = None;
    while !has_ended_meanwhile(&handle, said, hear)? {
        match killed_at {
            None if context.abort().is_set() => {
                kill_process_group(pid, Signal::TERM).ok();
                killed_at = Some(Instant::now());
            }
            Some(at) if at.elapsed() >= GRACE => {
                kill_process_group(pid, Signal::KILL).ok();
            }
            _ => {}
        }
    }
    let status = child.wait()?;
    Ok(killed_at.is_none().then_some(status))
}

/// Hears what is said until `LOOK` is over, or no more will be said. Says whether the process has ended.
fn has_ended_meanwhile(
    handle: &OwnedFd,
    said: &Receiver<String>,
    hear: &mut dyn FnMut(&str),
) -> io::Result<bool> {
    let until = Instant::now() + LOOK;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match said.recv_timeout(left) {
            Ok(line) => hear(&line),
            Err(RecvTimeoutError::Timeout) => return has_ended(handle, Duration::ZERO),
            Err(RecvTimeoutError::Disconnected) => return has_ended(handle, left),
        }
        if left.is_zero() {
            return has_ended(handle, Duration::ZERO);
        }
    }
}

fn has_ended(handle: &OwnedFd, within: Duration) -> io::Result<bool> {
    let mut handles = [PollFd::new(handle, PollFlags::IN)];
    let within = within.try_into().map_err(io::Error::other)?;
    match poll(&mut handles, Some(&within)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Passes on what comes out of `source`, line by line, and copies it, on a thread of its own, until there is no more.
fn read_lines(
    source: impl Read + Send + 'static,
    mut copy: Option<File>,
    lines: SyncSender<String>,
) {
    thread::spawn(move || {
        let mut source = BufReader::new(source);
        let mut line = Vec::new();
        while read_line(&mut source, &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            // Whoever waits for the command may have gone; it is still read, so that it does not hang.
            let _ = lines.send(text);
            if let Some(Err(error)) = copy.as_mut().map(|copy| copy.write_all(&line)) {
                let _ = lines.send(format!("cannot keep that line in a file: {error}"));
            }
        }
    });
}

/// Reads the next line, or a piece of one that is too long: how many bytes it has.
fn read_line(source: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    line.clear();
    source.take(LONGEST_LINE).read_until(b'\n', line)
}

fn aborted(command: &Command) -> TaskError {
    let program = command.get_program().to_string_lossy();
    TaskError::new(format!("aborted while running `{program}`"))
}

/// The command as it would be typed, near enough for a log.
fn words(command: &Command) -> String {
    let quoted = command.get_args().map(|argument| {
        let argument = argument.to_string_lossy();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+~".contains(c);
        if !argument.is_empty() && argument.chars().all(is_plain) {
            argument.into_owned()
        } else {
            format!("'{}'", argument.replace('\'', r"'\''"))
        }
    });
    let program = command.get_program().to_string_lossy().into_owned();
    let words: Vec<_> = std::iter::once(program).chain(quoted).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests;
