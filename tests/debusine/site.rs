//! A Debusine server with our app in it, whose tasks are plugins.

use crate::{
    api::LIMIT,
    farm::built,
    packages::{debian_packages, python_packages},
    server::Server,
};
use serde_json::{Value, json};
use std::{
    fs,
    io::{self, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// What is added to the server's settings.
const SETTINGS: &str = r#"
INSTALLED_APPS = [*defaults.INSTALLED_APPS, "taskbay_debusine"]
MIDDLEWARE = [*defaults.MIDDLEWARE, "taskbay_debusine.middleware.PagesMiddleware"]
"#;
/// The same, where the command and the plugins are not where packages put them.
const PLACES: &str = r#"
TASKBAY = {"program": "/srv/bin/taskbay", "plugin_dirs": ["/srv/plugins"]}
"#;

/// A stock server with the app, and a directory of plugins.
pub(crate) struct Site {
    pub(crate) server: Server,
}

/// A worker that is no more than what it says of itself: the test does its work.
pub(crate) struct Said<'s> {
    site: &'s Site,
    token: String,
}

impl Site {
    /// One with these plugins of ours, and more settings. None where there can be none, which is said.
    pub(crate) fn start(plugins: &[&str], settings: &str) -> Option<Self> {
        let packages = python_packages()?;
        let site = Self {
            server: Server::start()?,
        };
        for folder in ["bin", "plugins"] {
            fs::create_dir(site.path(folder)).unwrap();
        }
        fs::copy(built().join("taskbay"), site.path("bin/taskbay")).unwrap();
        let copied = Command::new("cp")
            .arg("-a")
            .arg(packages.join("."))
            .arg(site.path("python"))
            .status();
        assert!(copied.unwrap().success());
        for task in plugins {
            site.drop_in(task);
        }
        site.is_set(&format!("{SETTINGS}{PLACES}{settings}"));
        Some(site)
    }

    /// One in whose system Debian packages are installed, among them one of the plugin `sleep`. None as above.
    pub(crate) fn start_installed() -> Option<Self> {
        let packages = debian_packages()?;
        let site = Self {
            server: Server::start_with(&packages)?,
        };
        site.is_set(SETTINGS);
        Some(site)
    }

    /// Adds that to the server's settings, as an administrator does.
    fn is_set(&self, settings: &str) {
        fs::write(self.path("local.py"), settings).unwrap();
        self.server.admin(&["migrate", "--verbosity=0"]);
        self.restart();
    }

    /// A file of the server's.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.server.folder().join(name)
    }

    /// Drops a plugin of ours into the directory.
    pub(crate) fn drop_in(&self, task: &str) {
        let file = format!("libtaskbay_task_{task}.so");
        self.drop_file(&file, &fs::read(built().join(&file)).unwrap());
    }

    /// Drops that file into the directory, as a package manager does.
    pub(crate) fn drop_file(&self, file: &str, bytes: &[u8]) {
        let new = self.path("plugins").join(format!("{file}.new"));
        fs::write(&new, bytes).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o644)).unwrap();
        fs::rename(new, self.path("plugins").join(file)).unwrap();
    }

    /// Ends the server's processes and starts them anew.
    pub(crate) fn restart(&self) {
        for part in ["server", "scheduler"] {
            self.server.tell(&format!("stop {part}"));
            self.server.tell(&format!("start {part}"));
        }
    }

    /// Waits until the scheduler has run so many times.
    #[track_caller]
    pub(crate) fn schedules(&self, times: usize) {
        let runs = || {
            let log = fs::read_to_string(self.path("log/scheduler.log")).unwrap();
            let is_run =
                |line: &&str| line.contains("schedule_task[") && line.contains("succeeded");
            log.lines().filter(is_run).count()
        };
        let before = runs();
        until(LIMIT, "the scheduler does not run", || {
            (runs() >= before + times).then_some(())
        });
    }

    /// Asks the server as its user: the status, and what is answered.
    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, self.server.token(), None)
    }

    /// Asks for a task: the status, and what is answered.
    pub(crate) fn try_to_submit(&self, task: &str, data: &Value) -> (u16, Value) {
        let request = json!({
            "task_name": task, "task_data": data, "workspace": "System", "event_reactions": {},
        });
        self.call(
            "POST",
            "/1.0/work-request/",
            self.server.token(),
            Some(&request),
        )
    }

    /// The request as the server has it.
    pub(crate) fn request(&self, id: i64) -> Value {
        let (status, request) = self.get(&format!("/1.0/work-request/{id}/"));
        assert_eq!(status, 200, "{request}");
        request
    }

    /// Who could execute a request, who could not, and why not.
    #[track_caller]
    pub(crate) fn explain(&self, id: i64) -> Value {
        let (status, explained) = self.get(&format!("/taskbay/1.0/explain/{id}/"));
        assert_eq!(status, 200, "{explained}");
        explained
    }

    /// Registers a worker that says so of itself, and has it count as connected.
    pub(crate) fn worker(&self, name: &str, metadata: &Value) -> Said<'_> {
        let token = format!("{name:0>64}");
        let document = json!({"token": token, "fqdn": name, "worker_type": "external"});
        let (status, answer) = self.call("POST", "/1.0/worker/register/", "", Some(&document));
        assert_eq!(status, 201, "{answer}");
        let worker = Said { site: self, token };
        self.server.records.change(&format!(
            "update db_worker set connected_at = now() where name = '{name}';
             update db_token set enabled = true where id in (select token_id from db_worker where name = '{name}')"
        ));
        worker.says(metadata);
        worker
    }

    /// Speaks to the server: the status, and what is answered.
    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        document: Option<&Value>,
    ) -> (u16, Value) {
        let body = document.map(ToString::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(("127.0.0.1", self.server.port())).unwrap();
        // With the older version of HTTP, the answer ends where the connection does.
        let head = format!(
            "{method} /api{path} HTTP/1.0\r\nHost: localhost\r\nToken: {token}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }
}

impl Said<'_> {
    /// Says of itself what it is like now.
    pub(crate) fn says(&self, metadata: &Value) {
        let path = "/1.0/worker/dynamic-metadata/";
        let (status, answer) = self.site.call("PUT", path, &self.token, Some(metadata));
        assert_eq!(status, 204, "{answer}");
    }

    /// The request that it has been given, if there is one; it is running then.
    pub(crate) fn takes(&self) -> Option<i64> {
        let path = "/1.0/work-request/get-next-for-worker/";
        let (status, request) = self.site.call("GET", path, &self.token, None);
        (status == 200).then(|| request["id"].as_i64().unwrap())
    }

    /// Says that a request is completed: the status of the answer.
    pub(crate) fn completes(&self, id: i64) -> u16 {
        let result = json!({"result": "success", "output_data": {}});
        let path = format!("/1.0/work-request/{id}/completed/");
        self.site.call("PUT", &path, &self.token, Some(&result)).0
    }

    /// Has the server think that it is gone.
    pub(crate) fn goes(&self) {
        self.is_connected("null");
    }

    /// Has the server think that it is there.
    pub(crate) fn comes(&self) {
        self.is_connected("now()");
    }

    fn is_connected(&self, since: &str) {
        let token = &self.token;
        self.site.server.records.change(&format!(
            "update db_worker set connected_at = {since} where token_id in
             (select id from db_token where hash = encode(sha256('{token}'), 'hex'))"
        ));
    }
}

/// Waits until there is something.
#[track_caller]
pub(crate) fn until<T>(limit: Duration, what: &str, found: impl Fn() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(100));
    }
}
