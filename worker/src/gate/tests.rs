//! What passes the gate, and what does not.

use super::*;
use crate::LocalServer;
use rustix::fs::{Mode, mkfifoat};
use serde_json::json;
use std::{os::unix::fs::symlink, thread};

struct Attempt {
    top: TempDir,
    gate: Gate,
}

impl Attempt {
    /// An attempt in `work`, beside which are `elsewhere`, and a file `input`.
    fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        for directory in ["work", "work/in", "elsewhere"] {
            fs::create_dir(top.path().join(directory)).unwrap();
        }
        fs::write(top.path().join("input"), "an input").unwrap();
        let output = top.path().join("output");
        let server = Arc::new(LocalServer::new(top.path().to_owned(), output));
        Self::of(top, server)
    }

    fn of(top: TempDir, server: Arc<dyn Server>) -> Self {
        let gate = Gate::new(&top.path().join("work"), server).unwrap();
        Self { top, gate }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    fn write(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, name).unwrap();
        path
    }

    fn server(&self) -> &dyn Server {
        &self.gate
    }

    fn fetch(&self, id: ArtifactId, directory: &Path) -> Result<Artifact, String> {
        let fetched = self.server().fetch(&Lookup::Id(id), directory);
        fetched
            .map(|(_, artifact)| artifact)
            .map_err(|ServerError(message)| message)
    }

    fn upload(&self, artifact: Artifact) -> Result<ArtifactId, String> {
        let uploaded = self.server().upload(artifact);
        uploaded.map_err(|ServerError(message)| message)
    }

    fn input(&self) -> ArtifactId {
        let input = Lookup::Text("./input".into());
        self.server().resolve(&input).unwrap().0
    }

    /// What is beside the work directory, and in `elsewhere`.
    fn around(&self) -> Vec<PathBuf> {
        let directories = [self.path(""), self.path("elsewhere")];
        let entries = directories
            .iter()
            .flat_map(|path| fs::read_dir(path).unwrap());
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }
}

fn artifact(files: &[&Path]) -> Artifact {
    let files = files.iter().map(|file| file.to_path_buf()).collect();
    Artifact::new("a:b", json!({}), files)
}

#[test]
fn files_come_in_and_go_out_with_their_folders() {
    let attempt = Attempt::new();
    let fetched = attempt.fetch(attempt.input(), &attempt.path("work/in"));
    let fetched = fetched.unwrap();
    assert_eq!(fetched.files, [attempt.path("work/in/input")]);
    assert_eq!(fetched.root, Some(attempt.path("work/in")));
    assert_eq!(fs::read(&fetched.files[0]).unwrap(), b"an input");
    // A path may be relative, and lead through a link that stays inside; what has the name is replaced.
    let link = attempt.path("work/link");
    symlink("in", &link).unwrap();
    fs::write(&fetched.files[0], "changed").unwrap();
    let again = attempt.fetch(attempt.input(), Path::new("link")).unwrap();
    assert_eq!(again.files, [Path::new("link/input")]);
    assert_eq!(fs::read(&fetched.files[0]).unwrap(), b"an input");

    let files = ["work/made/a/x", "work/made/b/x"].map(|name| attempt.write(name));
    symlink(&files[0], attempt.path("work/made/linked")).unwrap();
    let linked = attempt.path("work/made/linked");
    let made = artifact(&[&files[0], &files[1], &linked]).with_root(attempt.path("work/made"));
    let id = attempt.upload(made).unwrap();
    let back = attempt.fetch(id, &attempt.path("work/in")).unwrap();
    let names = ["a/x", "b/x", "linked"].map(|name| attempt.path("work/in").join(name));
    assert_eq!(back.files, names);
    assert_eq!(fs::read(&back.files[1]).unwrap(), b"work/made/b/x");
    assert_eq!(fs::read(&back.files[2]).unwrap(), b"work/made/a/x");
    // Nor need a path be whole here.
    let id = attempt.upload(artifact(&[Path::new("in/a/x")])).unwrap();
    let back = attempt.fetch(id, &attempt.path("work")).unwrap();
    assert_eq!(fs::read(&back.files[0]).unwrap(), b"work/made/a/x");
    let around = ["", "elsewhere", "input", "output", "work"].map(|name| attempt.path(name));
    assert_eq!(attempt.around(), around[1..], "nothing is left");
}

#[test]
fn nothing_is_fetched_to_elsewhere() {
    let attempt = Attempt::new();
    let elsewhere = attempt.path("elsewhere");
    symlink(&elsewhere, attempt.path("work/link")).unwrap();
    symlink("../elsewhere", attempt.path("work/in/link")).unwrap();
    let before = attempt.around();
    for directory in ["elsewhere", "work/link", "work/in/../../elsewhere", "", "/"] {
        let error = attempt.fetch(attempt.input(), &attempt.path(directory));
        let error = error.unwrap_err();
        assert!(error.contains("lies outside the work directory"), "{error}");
    }
    let error = attempt.fetch(attempt.input(), Path::new("../elsewhere"));
    assert!(error.unwrap_err().contains("lies outside"));
    let error = attempt
        .fetch(attempt.input(), Path::new("gone"))
        .unwrap_err();
    assert!(error.starts_with("cannot write gone: "), "{error}");
    // Nor does a folder of the artifact lead there, or a file of its name.
    let file = attempt.write("work/made/sub/x");
    let made = artifact(&[&file]).with_root(attempt.path("work/made"));
    let id = attempt.upload(made).unwrap();
    symlink(&elsewhere, attempt.path("work/in/sub")).unwrap();
    let error = attempt.fetch(id, &attempt.path("work/in")).unwrap_err();
    assert!(error.contains("in/sub/x"), "{error}");
    let theirs = attempt.path("elsewhere/theirs");
    fs::write(&theirs, "theirs").unwrap();
    symlink(&theirs, attempt.path("work/in/input")).unwrap();
    attempt
        .fetch(attempt.input(), &attempt.path("work/in"))
        .unwrap();
    assert_eq!(fs::read(&theirs).unwrap(), b"theirs");
    let came = attempt.around();
    let came: Vec<_> = came.iter().filter(|path| !before.contains(path)).collect();
    assert_eq!(came, [&theirs, &attempt.path("output")]);
}

#[test]
fn nothing_is_uploaded_from_elsewhere_and_only_regular_files_are() {
    let attempt = Attempt::new();
    let good = attempt.write("work/good");
    let twin = attempt.write("work/d/good");
    let link = attempt.path("work/link");
    symlink(attempt.path("input"), &link).unwrap();
    mkfifoat(CWD, attempt.path("work/fifo"), Mode::RUSR | Mode::WUSR).unwrap();
    let outside = "lies outside the work directory";
    for (file, reason) in [
        (attempt.path("work/gone"), "cannot read"),
        (attempt.path("work/fifo"), "is a device, FIFO or socket"),
        (attempt.path("work/d"), "is a directory"),
        (attempt.path("work"), "is a directory"),
        (attempt.path("input"), outside),
        ("../input".into(), outside),
        ("/proc/self/environ".into(), outside),
        (link.clone(), outside),
        (twin, "two files of one artifact are called `good`"),
    ] {
        let error = attempt.upload(artifact(&[&good, &file])).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
    let strays = attempt.gate.strays();
    assert_eq!(strays.len(), 4);
    assert_eq!((&strays[0], &strays[3]), (&attempt.path("input"), &link));
    assert!(!attempt.path("output").exists());
}

/// Says of every file that it is no good, as no real server does.
struct Complaining;

impl Server for Complaining {
    fn call(&self, call: ServerCall) -> Result<ServerReply, ServerError> {
        let files = match call {
            ServerCall::Fetch { directory, .. } => vec![directory.join("x")],
            ServerCall::Upload { artifact } => artifact.files,
            _ => Vec::new(),
        };
        Err(ServerError(format!("no good: {files:?}")))
    }
}

#[test]
fn files_are_called_as_the_task_calls_them() {
    let top = tempfile::tempdir().unwrap();
    fs::create_dir(top.path().join("work")).unwrap();
    let attempt = Attempt::of(top, Arc::new(Complaining));
    let work = attempt.path("work");
    let said = attempt.fetch(1, &work).unwrap_err();
    assert_eq!(said, format!("no good: {:?}", [work.join("x")]));
    // The name of the one is how that of the other starts.
    let files = ["work/a", "work/sub/ab"].map(|name| attempt.write(name));
    let said = attempt.upload(artifact(&[&files[0], &files[1]]));
    assert_eq!(said.unwrap_err(), format!("no good: {files:?}"));
}

/// As it is with a file of another user, too.
#[test]
fn a_file_of_another_file_system_is_copied() {
    let shared = Path::new("/dev/shm");
    let Ok(elsewhere) = tempfile::tempdir_in(shared) else {
        return;
    };
    let top = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("file");
    fs::write(&file, "there").unwrap();
    let beneath = Beneath::new(elsewhere.path()).unwrap();
    let (opened, _) = beneath.file(&file).unwrap().unwrap();
    let name = top.path().join("sub/name");
    take(&opened, &name).unwrap();
    assert_eq!(fs::read(&name).unwrap(), b"there");
    assert!(!name.is_symlink());
}

/// Whatever a task does meanwhile, nothing comes to elsewhere.
#[test]
fn a_directory_that_becomes_a_link_meanwhile_leads_nowhere() {
    let attempt = Attempt::new();
    let input = attempt.input();
    let (place, aside) = (attempt.path("work/place"), attempt.path("work/aside"));
    fs::create_dir(&place).unwrap();
    symlink(attempt.path("elsewhere"), &aside).unwrap();
    let is_done = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let exchange = rustix::fs::RenameFlags::EXCHANGE;
            while !is_done.load(std::sync::atomic::Ordering::Acquire) {
                rustix::fs::renameat_with(CWD, &place, CWD, &aside, exchange).unwrap();
            }
        });
        for _ in 0..500 {
            attempt.fetch(input, &place).ok();
        }
        is_done.store(true, std::sync::atomic::Ordering::Release);
    });
    assert_eq!(fs::read_dir(attempt.path("elsewhere")).unwrap().count(), 0);
}

/// What is fetched is on its way for some time, in a place where others find no way in.
#[test]
fn nobody_else_sees_what_is_on_its_way() {
    let attempt = Attempt::new();
    let staging = attempt.gate.staging().unwrap();
    let mode = fs::metadata(staging.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
