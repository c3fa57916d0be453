//! A PostgreSQL of the tests' own: in a temporary folder, on a socket in it, gone with the tests however they end.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};
use taskbay_test::skip_not_installed;

/// Makes the server's files.
const MAKE: &str = r#"
exec "$1/initdb" -D "$2/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$2/log" 2>&1
"#;

/// Starts the server, and stops it at the end of its standard input, which is the end of the tests, even a violent one.
/// A line there leaves its files to the next one. The last words are variables for it.
const RUN: &str = r#"
env $4 "$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off $3 >>"$2/log" 2>&1 </dev/null &
server=$!
read -r line && exit
kill -QUIT "$server"
wait "$server"
rm -rf "$2"
"#;

pub(crate) struct Server {
    pub(crate) folder: PathBuf,
    /// Its standard input keeps the server alive.
    #[allow(dead_code, reason = "only tests that start the server anew name it")]
    pub(crate) guard: Child,
}

/// The server, started by whoever asks first. None where PostgreSQL is not installed.
pub(crate) fn get() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let start = || {
        let server = Server::in_folder(folder(), "-c max_connections=300")?;
        assert!(server.is_ready(1), "PostgreSQL does not start");
        Some(server)
    };
    SERVER.get_or_init(start).as_ref()
}

/// A new folder for a server; the path of a socket in it must be short.
pub(crate) fn folder() -> PathBuf {
    let folder = tempfile::Builder::new().prefix("tb-pg-").tempdir_in("/tmp");
    folder.unwrap().keep()
}

impl Server {
    /// Makes a server in that folder, and starts it. None where PostgreSQL is not installed.
    pub(crate) fn in_folder(folder: PathBuf, options: &str) -> Option<Self> {
        Self::with_variables(folder, options, "")
    }

    /// One that has these variables in its environment.
    pub(crate) fn with_variables(folder: PathBuf, options: &str, variables: &str) -> Option<Self> {
        let Some(bin) = installed() else {
            skip_not_installed("PostgreSQL is not installed; scripts/install-tools installs it");
            let _ = fs::remove_dir(folder);
            return None;
        };
        let made = script(MAKE, &bin, &folder).status().unwrap();
        assert!(
            made.success(),
            "{:?}",
            fs::read_to_string(folder.join("log"))
        );
        let guard = run(&bin, &folder, options, variables);
        Some(Self { folder, guard })
    }

    pub(crate) fn url(&self, role: &str, database: &str) -> String {
        format!(
            "postgres://{role}@localhost/{database}?host={}",
            self.folder.display()
        )
    }

    /// What it said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Waits until it was started that many times, and accepts connections; false when it cannot be started.
    pub(crate) fn is_ready(&self, times: usize) -> bool {
        let begun = Instant::now();
        while self.log().matches("ready to accept connections").count() < times {
            if begun.elapsed() > Duration::from_mins(1) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }
}

/// Starts it with those environment variables, without waiting.
pub(crate) fn run(bin: &Path, folder: &Path, options: &str, variables: &str) -> Child {
    let mut run = script(RUN, bin, folder);
    run.args([options, variables]).stdin(Stdio::piped());
    run.spawn().unwrap()
}

/// A script as the server's user.
fn script(text: &str, bin: &Path, folder: &Path) -> Command {
    let mut command = unprivileged(folder);
    command
        .args(["sh", "-c", text, "sh"])
        .arg(bin)
        .arg(folder)
        .current_dir("/")
        .env_remove("PGDATA")
        .stdout(Stdio::null());
    command
}

/// The folder with the server's programs.
pub(crate) fn installed() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    let has_both =
        |folder: &PathBuf| folder.join("initdb").exists() && folder.join("postgres").exists();
    folders.into_iter().find(has_both)
}

/// A command prefix: `initdb` refuses root.
pub(crate) fn unprivileged(folder: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new("env");
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    let is_user = |user: &&str| {
        Command::new("id")
            .arg(user)
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let user = ["postgres", "nobody"].into_iter().find(is_user).unwrap();
    let status = Command::new("chown")
        .arg(user)
        .arg(folder)
        .status()
        .unwrap();
    assert!(status.success());
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), "--clear-groups", "--"]);
    command
}
