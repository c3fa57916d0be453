//! The server's interface for people: requests are made, and what they need is stored.

use crate::server::Server;
use serde_json::{Value, json};
use std::{
    thread,
    time::{Duration, Instant},
};

/// Many times what is needed, on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_mins(2);

/// The longest that a package takes to build.
pub(crate) const LONG: Duration = Duration::from_mins(30);

impl Server {
    /// Makes a request, and gives its number.
    #[track_caller]
    pub(crate) fn submit(&self, task: &str, data: &Value) -> i64 {
        let request = json!({
            "task_name": task, "task_data": data, "workspace": "System", "event_reactions": {},
        });
        let (status, answer) = self.post("/1.0/work-request/", &request);
        assert_eq!(status, 200, "{answer:#}");
        answer["id"].as_i64().unwrap()
    }

    /// Makes an artifact without files, and gives its number.
    #[track_caller]
    pub(crate) fn store(&self, category: &str, data: &Value) -> i64 {
        let artifact =
            json!({"category": category, "data": data, "workspace": "System", "files": {}});
        let (status, answer) = self.post("/1.0/artifact/", &artifact);
        assert_eq!(status, 201, "{answer:#}");
        answer["id"].as_i64().unwrap()
    }

    /// The request, once it is completed.
    #[track_caller]
    pub(crate) fn completes(&self, id: i64, limit: Duration) -> Value {
        self.wait(id, limit, |request| request["status"] == "completed")
    }

    /// The request, once that is so. The database may be away meanwhile.
    #[track_caller]
    pub(crate) fn wait(&self, id: i64, limit: Duration, is_so: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + limit;
        loop {
            let found = self.records.request(id);
            if let Ok(request) = &found
                && is_so(request)
            {
                return request.clone();
            }
            assert!(Instant::now() < until, "{found:#?}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Lets all workers work that have registered, before they are told of it.
    pub(crate) fn enable_workers(&self) {
        let enable = "update db_token set enabled = true
            where not enabled and id in (select token_id from db_worker)";
        self.records.change(enable);
    }

    /// Waits until no worker is connected.
    #[track_caller]
    pub(crate) fn hears_of_its_end(&self) {
        let until = Instant::now() + LIMIT;
        let connected = "select id from db_worker where connected_at is not null";
        while !self.records.rows(connected).is_empty() {
            assert!(Instant::now() < until, "a worker is still connected");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// A command of the administrator's, as whom its workers are told, and what it says.
    #[track_caller]
    pub(crate) fn admin(&self, arguments: &[&str]) -> String {
        let django = [
            "env",
            "DJANGO_SETTINGS_MODULE=debusine.project.settings",
            "python3",
            "-m",
            "django",
        ];
        let mut command = self.system.command(self.folder(), &django);
        let done = command.args(arguments).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// Posts a document: the status, and what is answered.
    fn post(&self, path: &str, document: &Value) -> (u16, Value) {
        let mut answer = ureq::post(format!("{}{path}", self.url()))
            .config()
            .http_status_as_error(false)
            .build()
            .header("Token", self.token())
            .content_type("application/json")
            .send(document.to_string())
            .unwrap();
        let body = answer.body_mut().read_to_string().unwrap();
        let document = serde_json::from_str(&body).unwrap_or(Value::String(body));
        (answer.status().as_u16(), document)
    }
}
