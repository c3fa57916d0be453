//! Debusine's worker, and ours, in the same system.

use crate::{api::LIMIT, farm::built, server::Server, system::Release};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Child,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// What ours is given; Debusine's brings its own.
pub(crate) const PLUGINS: [&str; 8] = [
    "autopkgtest",
    "blhc",
    "debdiff",
    "lintian",
    "mmdebstrap",
    "noop",
    "piuparts",
    "sbuild",
];

/// In the place of that which mmdebstrap calls: to compress well takes longer than all else.
const QUICK_XZ: &str = "#!/bin/sh\nexec /usr/bin/xz -0 \"$@\"\n";

/// Whose worker it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Debusine's own.
    Stock,
    /// Ours.
    Ours,
}

/// The files of a worker, which outlive it.
pub(crate) struct Place {
    folder: TempDir,
    /// What its worker has in its environment, beside what all have.
    variables: Vec<String>,
}

/// A worker that runs; it is killed when dropped.
pub(crate) struct Worker<'s> {
    server: &'s Server,
    place: Place,
    process: Child,
}

impl Kind {
    /// The words of its command. The system's programs are found behind those of the place, which a test may put there.
    fn command(self) -> &'static [&'static str] {
        match self {
            Self::Stock => &[
                "env",
                "PATH=/srv/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "python3",
                "-m",
                "debusine.worker",
            ],
            Self::Ours => &[
                "env",
                "PATH=/srv/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "RUST_LOG=info",
                "STATE_DIRECTORY=/srv/state",
                "TASKBAY_CACHE_DIR=/srv/cache",
                "TASKBAY_CONFIG=/srv/config.toml",
                "TASKBAY_PLUGIN_PATH=/srv/plugins",
                "/srv/built/taskbay",
                "worker",
                "--engine",
                "debusine:",
            ],
        }
    }
}

impl Place {
    /// One for a worker that finds its server there.
    pub(crate) fn new(url: &str) -> Self {
        // Whatever the user's mask lets others write is not trusted.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        let folder = tempfile::Builder::new().prefix("tb-dw-").tempdir_in("/tmp");
        let place = Self {
            folder: folder.unwrap(),
            variables: Vec::new(),
        };
        for folder in [
            "bin",
            "built",
            "home/.config/debusine/worker",
            "plugins",
            "state",
        ] {
            fs::create_dir_all(place.path(folder)).unwrap();
        }
        place.add_program("xz", QUICK_XZ);
        place.configure("");
        let settings = format!("[General]\napi-url = {url}\nlog-level = INFO\n");
        fs::write(
            place.path("home/.config/debusine/worker/config.ini"),
            settings,
        )
        .unwrap();
        for task in PLUGINS {
            place.add_plugin(task);
        }
        place
    }

    /// A file or folder of it: `/srv/…` for the worker.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program that its tasks find before the system's.
    pub(crate) fn add_program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Adds a variable to the environment of its worker.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push(format!("{name}={value}"));
    }

    /// Settings of our worker.
    pub(crate) fn configure(&self, settings: &str) {
        fs::write(self.path("config.toml"), settings).unwrap();
    }

    /// Puts a plugin of ours where it is looked for.
    pub(crate) fn add_plugin(&self, task: &str) {
        let file = format!("libtaskbay_task_{task}.so");
        let copy = self.path("plugins").join(&file);
        fs::copy(built().join(&file), &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What its worker said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl<'s> Worker<'s> {
    /// A new one that may work, and is ready to.
    #[track_caller]
    pub(crate) fn start(server: &'s Server, kind: Kind) -> Self {
        Self::start_in(server, kind, Place::new(server.url()))
    }

    /// One whose files are there, maybe from another before it.
    #[track_caller]
    pub(crate) fn start_in(server: &'s Server, kind: Kind, place: Place) -> Self {
        let worker = Self::spawn(server, kind, place);
        worker.registers();
        worker.offers();
        worker
    }

    /// One of which nothing is known yet.
    pub(crate) fn spawn(server: &'s Server, kind: Kind, place: Place) -> Self {
        let log = File::options()
            .create(true)
            .append(true)
            .open(place.path("log"))
            .unwrap();
        let mut words = kind.command().to_vec();
        // Behind `env`.
        words.splice(1..1, place.variables.iter().map(String::as_str));
        let process = server
            .system
            .command(place.folder.path(), &words)
            .env("BIND", format!("{}:srv/built", built().display()))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self {
            server,
            place,
            process,
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until the server has it, be it that it may work or not.
    #[track_caller]
    pub(crate) fn registers(&self) {
        self.wait_until("register", || self.is_known("true"));
    }

    /// Lets it work, and waits until the server knows what it can do, and that it is there: work comes after that.
    #[track_caller]
    pub(crate) fn offers(&self) {
        let offers = match self.server.system.release() {
            Release::Trixie => "jsonb_exists(dynamic_metadata, 'noop:version')",
            Release::Sid => {
                "jsonb_exists(dynamic_metadata->'provided_tags', 'worker:task:worker:noop:version:1')"
            }
        };
        let offers = format!("connected_at is not null and {offers}");
        self.wait_until("offer its tasks", || {
            // A server that refuses it at the same moment writes the token as it was.
            self.server.enable_workers();
            self.is_known(&offers)
        });
    }

    /// Whether the server has it, and that is so of it.
    fn is_known(&self, condition: &str) -> bool {
        let token = fs::read_to_string(self.place.path("home/.config/debusine/worker/token"));
        let token = token.unwrap_or_default();
        let query = format!(
            "select worker.id from db_worker worker join db_token token on token.id = worker.token_id
             where token.hash = encode(sha256('{}'), 'hex') and {condition}",
            token.trim()
        );
        !self.server.records.rows(&query).is_empty()
    }

    /// Waits until that is so.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let until = Instant::now() + LIMIT;
        while !is_so() {
            assert!(
                Instant::now() < until && self.is_alive(),
                "it does not {what}: {}",
                self.place.log()
            );
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// What it ends with by itself.
    #[track_caller]
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        let until = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < until, "it goes on: {}", self.place.log());
            thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        // A zombie is none.
        let status = fs::read_to_string(format!("/proc/{}/stat", self.id()));
        status.is_ok_and(|status| !status.contains(") Z "))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Ends it by that signal, and leaves its files to the next one.
    #[track_caller]
    pub(crate) fn end(self, signal: Signal) -> Place {
        self.signal(signal);
        self.ended().1
    }

    /// Waits until it has ended: what with, and its files, for the next one.
    #[track_caller]
    pub(crate) fn ended(mut self) -> (Option<i32>, Place) {
        let code = self.exit_code();
        let empty = Place {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        };
        let place = std::mem::replace(&mut self.place, empty);
        // The next one is not taken for it.
        self.server.hears_of_its_end();
        (code, place)
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
