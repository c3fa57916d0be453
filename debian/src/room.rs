//! Room on the disk: whether a command that did not do its work had none.

use rustix::fs::{StatVfs, statvfs};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use taskbay_plugin_api::{Context, TaskError, run_heard};

/// How much of what packages print is kept in a file, in bytes: they may print for ever.
const LONGEST_OUTPUT: usize = 64 << 20;

/// What programs say on a full disk, in the locale that they are given. Packages that are built or tested may say it too,
/// since some have tests of what they do then.
const FULL: &str = "No space left on device";
/// What is no package's own: a quota, which no file system tells of, and apt, which reckons before it writes.
const BELIEVED: [&str; 2] = [
    "Disk quota exceeded",
    "E: You don't have enough free space in ",
];
/// How lines start that dpkg prints before any script of a package that it installs runs, and so before such a script prints.
const INSTALLING: [&str; 4] = [
    "Preconfiguring packages",
    "Selecting previously unselected package ",
    "Preparing to unpack ",
    "Setting up ",
];
/// How often the disk is looked at. Whoever is refused room removes what did not fit, so that it is full for a moment only.
const LOOK: Duration = Duration::from_millis(50);
/// With less than this many bytes left, a disk is as good as full; a small one, with less than this part.
const LEAST: u64 = 64 << 20;
const LEAST_PART: u64 = 50;

/// Whether packages are installed from that line on, so that it and what follows may be of their scripts.
pub fn is_installing(line: &str) -> bool {
    INSTALLING.iter().any(|start| line.starts_with(start))
}

/// Listens to a command for complaints that there is no room, and looks at the disk of its work directory meanwhile.
///
/// A full disk says nothing about a package, yet looks like a package that is not good: tools end as they do then.
#[derive(Debug)]
pub struct Room {
    directory: PathBuf,
    complaint: Option<String>,
    believed: Option<String>,
    was_full: Arc<AtomicBool>,
    is_over: Arc<AtomicBool>,
    watch: Option<JoinHandle<()>>,
}

impl Room {
    /// Looks at the disk from now on.
    pub fn of(context: &Context) -> Self {
        let directory = context.work_directory().to_owned();
        let (was_full, is_over) = (Arc::default(), Arc::default());
        let watch = watch(&directory, &was_full, &is_over);
        Self {
            directory,
            complaint: None,
            believed: None,
            was_full,
            is_over,
            watch: Some(watch),
        }
    }

    /// Hears a line of the command's own.
    pub fn hear(&mut self, line: &str) {
        if self.believed.is_none() && BELIEVED.iter().any(|words| line.contains(words)) {
            self.believed = Some(line.trim().to_owned());
        }
        self.hear_package(line);
    }

    /// Hears a line that may be of a package: it says what it likes, and is asked only whether the disk was full, too.
    pub fn hear_package(&mut self, line: &str) {
        if self.complaint.is_none() && line.contains(FULL) {
            self.complaint = Some(line.trim().to_owned());
        }
    }

    /// Asked where the command did not do its work.
    ///
    /// # Errors
    ///
    /// When it complained, and the disk was full.
    pub fn check(&self) -> Result<(), TaskError> {
        let was_full = self.was_full.load(Ordering::Relaxed);
        let complaint = self.complaint.as_ref().filter(|_| was_full);
        let Some(complaint) = self.believed.as_ref().or(complaint) else {
            return Ok(());
        };
        Err(TaskError::new(format!(
            "there was no room left on the worker, where a command said `{complaint}`: make room on the disk of {}, or start \
             the worker with TMPDIR naming a directory on a larger one",
            self.directory.display()
        )))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(watch) = self.watch.take() {
            watch.thread().unpark();
            // It cannot panic, and has nothing to say.
            watch.join().ok();
        }
    }
}

/// Runs `command` as [`run_heard`] does. That it failed where there was no room is an error.
///
/// # Errors
///
/// As [`run_heard`], and when it failed on a full disk.
pub fn run_with_room(
    context: &Context,
    command: &mut Command,
    files: [Option<&Path>; 2],
) -> Result<ExitStatus, TaskError> {
    run_as(context, command, files, Room::hear)
}

/// Runs `command` as [`run_with_room`] does, where lines may be of packages, and are in a file, too.
///
/// # Errors
///
/// As [`run_with_room`], and when the file cannot be written.
pub(crate) fn run_package(
    context: &Context,
    command: &mut Command,
    output: &Path,
) -> Result<ExitStatus, TaskError> {
    let unwritten =
        |error: io::Error| TaskError::new(format!("cannot write {}: {error}", output.display()));
    let mut file = BufWriter::new(File::create(output).map_err(unwritten)?);
    let (mut written, mut left) = (Ok(()), LONGEST_OUTPUT);
    let status = run_as(context, command, [None, None], |room, line| {
        room.hear_package(line);
        if written.is_ok() && left > 0 {
            left = left.saturating_sub(line.len() + 1);
            let line = if left > 0 {
                line
            } else {
                "(the rest is left out)"
            };
            written = writeln!(file, "{line}");
        }
    })?;
    written.and_then(|()| file.flush()).map_err(unwritten)?;
    Ok(status)
}

fn run_as(
    context: &Context,
    command: &mut Command,
    files: [Option<&Path>; 2],
    mut hear: impl FnMut(&mut Room, &str),
) -> Result<ExitStatus, TaskError> {
    let mut room = Room::of(context);
    let status = run_heard(context, command, files, |line| hear(&mut room, line))?;
    if !status.success() {
        room.check()?;
    }
    Ok(status)
}

fn watch(
    directory: &Path,
    was_full: &Arc<AtomicBool>,
    is_over: &Arc<AtomicBool>,
) -> JoinHandle<()> {
    let directory = directory.to_owned();
    let (was_full, is_over) = (was_full.clone(), is_over.clone());
    thread::spawn(move || {
        while !is_over.load(Ordering::Relaxed) {
            if statvfs(&directory).is_ok_and(|disk| is_full(&disk)) {
                was_full.store(true, Ordering::Relaxed);
            }
            thread::park_timeout(LOOK);
        }
    })
}

fn is_full(disk: &StatVfs) -> bool {
    let size = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    let least = LEAST.min(size(disk.f_blocks) / LEAST_PART);
    // Some file systems have no fixed number of files.
    size(disk.f_bavail) < least || disk.f_files > 0 && disk.f_favail == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskbay_plugin_api::Abort;

    /// What a command in a directory comes to, where its disk was full or not.
    fn ran(script: &str, was_full: bool) -> Result<Option<i32>, String> {
        ran_as(script, was_full, Room::hear)
    }

    fn ran_as(
        script: &str,
        was_full: bool,
        hear: fn(&mut Room, &str),
    ) -> Result<Option<i32>, String> {
        let context = Context::new("/", Abort::new());
        let mut room = Room::of(&context);
        let mut command = Command::new("sh");
        let command = command.args(["-c", script]);
        let status = run_heard(&context, command, [None, None], |line| {
            hear(&mut room, line);
        })
        .unwrap();
        room.was_full.store(was_full, Ordering::Relaxed);
        let checked = room.check().map(|()| status.code());
        checked.map_err(|error| error.message())
    }

    /// A device that is always full, and the words of real programs.
    #[test]
    fn a_complaint_counts_where_the_disk_was_full() {
        let complains = "dd if=/dev/zero of=/dev/full count=1";
        let message = ran(complains, true).unwrap_err();
        for words in ["No space left on device", "on the disk of /,", "TMPDIR"] {
            assert!(message.contains(words), "{message}");
        }
        assert_eq!(ran(complains, false), Ok(Some(1)));
        assert_eq!(ran("echo other >&2; exit 3", true), Ok(Some(3)));
        let reckons = "echo \"E: You don't have enough free space in /a/.\"; exit 100";
        assert!(ran(reckons, false).is_err());
        // One that counts for nothing hides none that does.
        let both = format!("{complains}; {reckons}");
        let message = ran(&both, false).unwrap_err();
        assert!(message.contains("enough free space"), "{message}");
        assert_eq!(ran_as(&both, false, Room::hear_package), Ok(Some(100)));
        assert!(ran_as(&both, true, Room::hear_package).is_err());
    }

    #[test]
    fn a_disk_is_full_before_its_last_byte() {
        let disk = |blocks, free, files, free_files| StatVfs {
            f_bsize: 4096,
            f_frsize: 4096,
            f_blocks: blocks,
            f_bfree: free,
            f_bavail: free,
            f_files: files,
            f_ffree: free_files,
            f_favail: free_files,
            ..statvfs("/").unwrap()
        };
        assert!(is_full(&disk(1 << 30, 100, 10, 10)));
        assert!(!is_full(&disk(1 << 30, 1 << 20, 10, 10)));
        assert!(is_full(&disk(1 << 30, 1 << 20, 10, 0)));
        assert!(!is_full(&disk(1 << 30, 1 << 20, 0, 0)));
        // A small one is not full from the start.
        assert!(!is_full(&disk(1000, 900, 10, 10)));
        assert!(is_full(&disk(1000, 10, 10, 10)));
    }
}
