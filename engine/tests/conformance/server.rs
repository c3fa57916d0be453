//! A PostgreSQL of the tests' own: in a temporary folder, on a socket in it, gone with the tests however they end.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Starts the server, and stops it at the end of its standard input, which is the end of the tests, even a violent one.
const SCRIPT: &str = r#"
bin=$1 folder=$2
"$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$folder/log" 2>&1 || exit 1
"$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off -c max_connections=300 \
    >>"$folder/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -QUIT "$server"
wait "$server"
rm -rf "$folder"
"#;

pub(crate) struct Server {
    folder: PathBuf,
    /// Its standard input keeps the server alive.
    _guard: Child,
}

/// The server, started by whoever asks first. None where PostgreSQL is not installed.
pub(crate) fn get() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref()
}

impl Server {
    pub(crate) fn url(&self, role: &str, database: &str) -> String {
        format!(
            "postgres://{role}@localhost/{database}?host={}",
            self.folder.display()
        )
    }
}

fn start() -> Option<Server> {
    let Some(bin) = installed() else {
        // Past the harness, which shows nothing of a test that passes.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: PostgreSQL is not installed; scripts/install-tools installs it"
        );
        return None;
    };
    // A socket's path must be short.
    let folder = tempfile::Builder::new()
        .prefix("tb-pg-")
        .tempdir_in("/tmp")
        .unwrap()
        .keep();
    let mut command = unprivileged(&folder);
    let script = command
        .args(["sh", "-c", SCRIPT, "sh"])
        .arg(bin)
        .arg(&folder);
    let guard = script
        .current_dir("/")
        .env_remove("PGDATA")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until_ready(&folder);
    Some(Server {
        folder,
        _guard: guard,
    })
}

/// The folder with the server's programs.
fn installed() -> Option<PathBuf> {
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
fn unprivileged(folder: &Path) -> Command {
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

fn wait_until_ready(folder: &Path) {
    let begun = Instant::now();
    let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
    while !log().contains("ready to accept connections") {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "PostgreSQL does not start:\n{}",
            log()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
