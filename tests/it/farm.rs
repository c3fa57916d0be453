//! A directory of plugins and the command, apart from the machine they run on.

use crate::unruly;
use serde_json::Value;
use std::{
    env, fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};
use taskbay_loader::{Catalog, Loader, Scan, SearchPath, Store, TrustPolicy, scan};
use tempfile::TempDir;

/// A temporary place with a plugin directory, a home, and a directory to work in.
pub(crate) struct Farm {
    top: TempDir,
}

/// What a command came to.
#[must_use = "look at what it printed, or say which exit code it should have"]
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The directory that cargo puts what it builds in. The libraries are built first: `cargo test` does not.
pub(crate) fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let test = env::current_exe().unwrap();
        let profile = test.parent().unwrap().parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        // Of a part of the workspace cargo would build other crates, with fewer features, in the place of these.
        cargo
            .current_dir(root())
            .args(["build", "--locked", "--quiet", "--workspace"]);
        // What cargo tells of the crate of the tests has build scripts run anew that ask for it, and much be built anew twice:
        // here, and when cargo is called by hand again.
        let told = env::vars_os().map(|(name, _)| name);
        for name in told.filter(|name| name.as_bytes().starts_with(b"CARGO_PKG_")) {
            cargo.env_remove(name);
        }
        cargo
            .env_remove("CARGO_MANIFEST_DIR")
            .env_remove("CARGO_MANIFEST_PATH");
        cargo.env("CARGO_TARGET_DIR", profile.parent().unwrap());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(
            cargo.status().unwrap().success(),
            "the plugins cannot be built"
        );
        profile.to_owned()
    })
}

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

impl Farm {
    /// A farm with these plugins of ours.
    pub(crate) fn with(tasks: &[&str]) -> Self {
        // Whatever the user's mask lets others write is not trusted.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        let farm = Self {
            top: tempfile::tempdir().unwrap(),
        };
        // Another user is let in by some tests.
        fs::set_permissions(farm.top.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for directory in [farm.plugins(), farm.path("home"), farm.here()] {
            fs::create_dir(directory).unwrap();
        }
        // Not the machine's.
        fs::write(farm.path("config.toml"), "").unwrap();
        for task in tasks {
            let file = format!("libtaskbay_task_{task}.so");
            let copy = farm.plugins().join(&file);
            fs::copy(built().join(&file), &copy).unwrap();
            fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
        }
        farm
    }

    /// Adds a plugin with that fault, whose task has the fault's name.
    pub(crate) fn add_unruly(&self, fault: &str) -> PathBuf {
        let file = self.plugins().join(format!("{fault}.so"));
        unruly::write(&file, fault);
        file
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    /// The plugin directory.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.path("plugins")
    }

    /// The search path of the plugin directory alone.
    pub(crate) fn search_path(&self) -> SearchPath {
        SearchPath::only([self.plugins()])
    }

    /// What is in the plugin directory now.
    pub(crate) fn catalog(&self) -> Catalog {
        Catalog::read(&self.search_path(), TrustPolicy::OwnerOnly)
    }

    /// A loader whose private copies are the farm's.
    pub(crate) fn loader(&self) -> Loader {
        Loader::new(Store::in_directory(self.path("copies")))
    }

    /// The plugins, loaded in this process.
    pub(crate) fn scan(&self) -> Scan {
        scan(&self.search_path(), TrustPolicy::OwnerOnly, &self.loader())
    }

    /// The directory that commands run in.
    pub(crate) fn here(&self) -> PathBuf {
        self.path("here")
    }

    /// The command with these arguments, in an environment of its own.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(built().join("taskbay"));
        command
            .args(arguments)
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.top.path())
            .env("TASKBAY_PLUGIN_PATH", self.plugins())
            .env("TASKBAY_CONFIG", self.path("config.toml"))
            .env(
                "TASKBAY_ENGINE",
                format!("sqlite://{}", self.path("queue.db").display()),
            )
            .current_dir(self.here())
            .stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// The row of `list --json`, with `--load` or not, for the file of that name.
    pub(crate) fn row(&self, file: &str, load: bool) -> Value {
        let mut arguments = vec!["list", "--json", "--plugin-timeout", "3s"];
        if load {
            arguments.push("--load");
        }
        let listed = self.run(&arguments);
        assert_eq!(listed.code, Some(0), "{listed:?}");
        let listed = listed.json();
        let rows = listed["tasks"].as_array().unwrap();
        let is_it = |row: &&Value| row["file"].as_str().unwrap().ends_with(&format!("/{file}"));
        rows.iter()
            .find(is_it)
            .unwrap_or_else(|| panic!("no row for {file}: {rows:#?}"))
            .clone()
    }

    /// Asserts that the plugin `noop` is there and runs, whatever else is.
    pub(crate) fn assert_noop_runs(&self) {
        assert_eq!(self.row("libtaskbay_task_noop.so", true)["status"], "ok");
        let ran = self.run(&["run", "noop", "{}", "--json"]);
        assert_eq!(
            (ran.code, &ran.json()["result"]),
            (Some(0), &"success".into()),
            "{ran:?}"
        );
    }

    /// Asserts that no process of the farm's is left: each had the farm's place in its environment, be it as `TMPDIR` or
    /// as what a host was given in the place of that.
    pub(crate) fn assert_nothing_is_left(&self) {
        let place = self.top.path().as_os_str().as_bytes();
        // A process that was killed may take a moment to be gone.
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let left: Vec<_> = fs::read_dir("/proc")
                .unwrap()
                .flatten()
                .filter_map(|entry| command_line_with(place, &entry.path()))
                .collect();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "{left:?}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The command line of a process with that place in its environment.
fn command_line_with(place: &[u8], process: &Path) -> Option<String> {
    let environment = fs::read(process.join("environ")).ok()?;
    let has_it = environment.windows(place.len()).any(|part| part == place);
    has_it.then(|| fs::read_to_string(process.join("cmdline")).unwrap_or_default())
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let ran = Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        // What a plugin prints is quoted, and does not start a line.
        let is_panic = |line: &str| line.starts_with("note: run with `RUST_BACKTRACE");
        assert!(
            !ran.stderr.lines().any(is_panic),
            "the host itself panicked: {ran:?}"
        );
        ran
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Asserts the exit code, and that each part is in standard error.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in {self:#?}");
        }
    }

    /// Asserts success.
    #[track_caller]
    pub(crate) fn succeeds(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }
}

/// Has a program, which is called with these words, run the command.
pub(crate) fn called_by(program: &str, words: &[&str], command: &Command) -> Command {
    let variables = command.get_envs();
    let mut by = Command::new(program);
    by.args(words)
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(variables.filter_map(|(name, value)| Some((name, value?))))
        .current_dir(command.get_current_dir().unwrap_or(Path::new("/")));
    by
}
