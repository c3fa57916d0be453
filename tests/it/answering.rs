//! A scheduler of another make asks `taskbay answer`, line by line, and is answered whatever plugins do.

use crate::{farm::Farm, following::LIMIT, unruly};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The command as it runs.
struct Asked {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Asked {
    fn of(farm: &Farm) -> Self {
        Self::with_limit(farm, "60s")
    }

    /// With another time for plugins to answer than a busy machine may need.
    fn with_limit(farm: &Farm, limit: &str) -> Self {
        let mut child = farm
            .command(&["answer", "--plugin-timeout", limit])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut asked = Self {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        asked.await_writers();
        asked
    }

    /// What the farm wrote a moment ago may still be written to, for all that the command has seen.
    fn await_writers(&mut self) {
        let until = Instant::now() + LIMIT;
        while self
            .ask(&json!({"tasks": {}}))
            .to_string()
            .contains("somebody is writing")
        {
            assert!(Instant::now() < until, "somebody writes for ever");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn line(&mut self, line: &str) -> Value {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut answer = String::new();
        self.stdout.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
    }

    fn ask(&mut self, question: &Value) -> Value {
        self.line(&question.to_string())
    }

    fn reasons(&mut self, task: &str, data: &Value, worker: &Value) -> Value {
        let question = json!({"can-run": {"task": task, "data": data, "worker": worker}});
        let answer = self.ask(&question);
        let reasons = answer["reasons"].clone();
        assert_eq!(answer["can_run"], reasons == json!([]), "{answer}");
        reasons
    }

    /// The tasks, once they are others than in that generation.
    fn tasks_after(&mut self, generation: &Value) -> Value {
        let until = Instant::now() + LIMIT;
        loop {
            let answer = self.ask(&json!({"tasks": {"known": generation}}));
            if answer["tasks"].is_array() {
                return answer;
            }
            assert_eq!(&answer["generation"], generation);
            assert!(Instant::now() < until, "nothing has changed");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn ends(mut self) {
        self.stdin = None;
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn every_question() {
    let farm = Farm::with(&["sleep"]);
    let mut asked = Asked::of(&farm);
    let tasks = asked.ask(&json!({"tasks": {}}));
    assert_eq!(tasks["tasks"][0]["name"], "sleep", "{tasks}");
    assert_eq!(tasks["tasks"][0]["version"], 1);
    let schema = asked.ask(&json!({"schema": {"task": "sleep"}}));
    assert_eq!(schema["schema"]["properties"]["seconds"]["minimum"], 0.0);

    let configure = json!({"configure": {"task": "Sleep", "data": {"seconds": 2}}});
    let configured = asked.ask(&configure);
    assert_eq!(configured["data"], json!({"seconds": 2.0, "result": true}));
    assert_eq!(configured["label"], "sleep for 2 s");
    assert_eq!(configured["version"], 1);
    assert_eq!(asked.ask(&configure), configured, "remembered");

    let data = json!({"seconds": 2});
    let fits = json!({"sleep:version": 1});
    assert_eq!(asked.reasons("sleep", &data, &fits), json!([]));
    let not = asked.reasons("sleep", &data, &json!({"sleep:version": 2}));
    assert_eq!(not[0]["code"], "version-mismatch");
    let explained = asked.ask(
        &json!({"explain": {"task": "sleep", "data": data, "workers": [
            {"name": "busy", "metadata": fits, "busy": true},
            {"name": "denied", "metadata": fits, "deny": ["sleep", "No Name"]},
            {"name": "away", "metadata": fits, "away": "it is not connected"},
            {"name": "other", "metadata": {}, "allow": null},
        ]}}),
    );
    assert_eq!(explained["verdict"], "busy", "{explained}");
    assert_eq!(explained["away"][0]["worker"], "away");
    assert_eq!(explained["conditions"][0]["failing"], json!(["other"]));
    let metadata = asked.ask(&json!({"analyze": {}}));
    assert_eq!(metadata["sleep:version"], 1);
    asked.ends();
    farm.assert_nothing_is_left();
}

#[test]
fn what_is_wrong_is_an_answer() {
    let farm = Farm::with(&["sleep"]);
    let mut asked = Asked::of(&farm);
    let code = |answer: &Value| answer["error"]["code"].as_str().unwrap().to_owned();
    for line in [
        "",
        "no",
        "{}",
        r#"{"sing": {}}"#,
        r#"{"tasks": {"loud": 1}}"#,
    ] {
        assert_eq!(code(&asked.line(line)), "question", "{line}");
    }
    let unknown = asked.ask(&json!({"configure": {"task": "slep", "data": {}}}));
    assert_eq!(code(&unknown), "unknown-task");
    let missing = asked.reasons("slep", &json!({}), &json!({}));
    assert_eq!(missing[0]["code"], "task-missing");
    let data = json!({"seconds": -1, "loud": true});
    let invalid = asked.ask(&json!({"configure": {"task": "sleep", "data": data}}));
    assert_eq!(code(&invalid), "invalid-data");
    assert_eq!(invalid["error"]["faults"].as_array().unwrap().len(), 2);
    assert_eq!(
        asked.reasons("sleep", &data, &json!({}))[0]["code"],
        "invalid-data"
    );
    let refused = asked.ask(&json!({"explain": {"task": "sleep", "data": data, "workers": []}}));
    assert_eq!(refused["verdict"], "never");
    assert_eq!(refused["reasons"][0]["code"], "invalid-data");
    asked.ends();
}

/// One that crashes or hangs is asked no more after three times, and costs no other its answers.
fn fails(fault: &str, limit: &str, told: &str) {
    let farm = Farm::with(&["sleep"]);
    farm.add_unruly(fault);
    let mut asked = Asked::with_limit(&farm, limit);
    let name = unruly::name(fault);
    let worker = json!({format!("{name}:version"): 1, "sleep:version": 1});
    for _ in 0..4 {
        let reasons = asked.reasons(&name, &json!({}), &worker);
        assert_eq!(reasons[0]["code"], "plugin-failed", "{reasons}");
        let message = reasons[0]["message"].as_str().unwrap();
        assert!(message.contains(told), "{message}");
    }
    let others = asked.reasons("sleep", &json!({"seconds": 1}), &worker);
    assert_eq!(others, json!([]));
    asked.ends();
    farm.assert_nothing_is_left();
}

#[test]
fn a_plugin_that_crashes_is_a_reason() {
    fails("can-run-crashes", "60s", "SIGSEGV");
}

#[test]
fn a_plugin_that_hangs_is_a_reason() {
    fails("can-run-hangs", "5s", "no answer within 5 s");
}

#[test]
fn plugins_come_and_go() {
    let farm = Farm::with(&["noop"]);
    let mut asked = Asked::of(&farm);
    let before = asked.ask(&json!({"tasks": {}}));
    let names = |tasks: &Value| -> Vec<Value> {
        let rows = tasks["tasks"].as_array().unwrap();
        rows.iter().map(|row| row["name"].clone()).collect()
    };
    assert_eq!(names(&before), ["noop"]);
    let other = Farm::with(&["sleep"]);
    let file = farm.plugins().join("libtaskbay_task_sleep.so");
    fs::rename(other.plugins().join("libtaskbay_task_sleep.so"), &file).unwrap();
    let after = asked.tasks_after(&before["generation"]);
    assert_eq!(names(&after), ["noop", "sleep"]);
    let worker = json!({"sleep:version": 1});
    assert_eq!(
        asked.reasons("sleep", &json!({"seconds": 1}), &worker),
        json!([])
    );
    fs::remove_file(&file).unwrap();
    let gone = asked.tasks_after(&after["generation"]);
    assert_eq!(names(&gone), ["noop"]);
    let reasons = asked.reasons("sleep", &json!({"seconds": 1}), &worker);
    assert_eq!(reasons[0]["code"], "task-missing");
    asked.ends();
}
