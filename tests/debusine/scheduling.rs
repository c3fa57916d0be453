//! The scheduler of a stock Debusine server asks our plugins.

use crate::{
    api::LIMIT,
    farm::{Farm, Ran, built, root},
    site::{Site, packages, until},
    unruly,
};
use serde_json::{Value, json};
use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// What a worker says of itself that has these tasks.
fn offering(tasks: &[&str]) -> Value {
    let mut said = json!({"system:worker_type": "external", "system:architectures": ["amd64"]});
    for task in tasks {
        said[format!("{task}:version")] = 1.into();
    }
    said
}

/// A task that Debusine does not know at all: submitted, matched to the one worker that can, and run.
#[test]
fn a_plugin_is_a_task_of_the_server() {
    let Some(site) = Site::start(&["noop"], "") else {
        return;
    };
    let data = json!({"seconds": 0.1});
    let (status, refused) = site.try_to_submit("sleep", &data);
    assert_eq!(
        (
            status,
            refused["title"]
                .as_str()
                .unwrap()
                .contains("not registered")
        ),
        (400, true),
        "{refused}"
    );

    // Without a restart of anything.
    site.drop_in("sleep");
    let id = until(LIMIT, "the plugin is no task", || {
        let (status, answer) = site.try_to_submit("sleep", &data);
        (status == 200).then(|| answer["id"].as_i64().unwrap())
    });
    let (_, listed) = site.get("/taskbay/1.0/tasks/");
    let state = |name: &str| {
        let rows = listed["tasks"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap()["task"].clone()
    };
    assert_eq!(
        (state("sleep"), state("noop")),
        ("plugin".into(), "debusine".into())
    );
    assert!(
        site.server
            .log()
            .contains("the plugin `noop` is skipped: Debusine has a task of that name")
    );

    let (status, invalid) = site.try_to_submit("sleep", &json!({"seconds": -1}));
    let told = invalid["detail"].as_str().unwrap();
    assert!(
        status == 400 && told.contains("/seconds: -1 is less than the minimum"),
        "{invalid}"
    );

    let cannot = site.worker("cannot", &offering(&["noop"]));
    let reason = "the worker does not have the task `sleep`";
    let recorded = until(LIMIT, "no reason is kept", || {
        let explained = site.explain(id);
        assert_eq!(explained["verdict"], "never");
        assert_eq!(explained["nearest"]["worker"], "cannot");
        explained["recorded"].as_array().unwrap().first().cloned()
    });
    assert_eq!(
        (&recorded["worker"], &recorded["reasons"][0]["message"]),
        (&"cannot".into(), &reason.into())
    );
    assert!(
        site.server
            .log()
            .contains(&format!("`sleep` does not run on cannot: {reason}"))
    );

    let can = site.worker("can", &offering(&["noop", "sleep"]));
    until(LIMIT, "it is given to nobody", || {
        site.request(id)["worker"].as_i64()
    });
    assert_eq!((cannot.takes(), can.takes()), (None, Some(id)));
    assert_eq!(site.request(id)["status"], "running");
    assert_eq!(can.completes(id), 200);
    assert_eq!(site.request(id)["result"], "success");

    // From now on ours alone can.
    can.says(&offering(&["noop"]));
    is_run_by_our_worker(&site);
    refuses_to_explain(&site, id);
}

/// What is Debusine's own, what is not there, and to somebody whom the server does not know.
fn refuses_to_explain(site: &Site, id: i64) {
    let (status, own) = site.get(&format!(
        "/taskbay/1.0/explain/{}/",
        site.server.submit("noop", &json!({}))
    ));
    assert_eq!(status, 409, "{own}");
    assert_eq!(site.get("/taskbay/1.0/explain/999999/").0, 404);
    for page in ["tasks/".to_owned(), format!("explain/{id}/")] {
        let path = format!("/taskbay/1.0/{page}");
        assert_eq!(site.call("GET", &path, "", None).0, 403, "{path}");
    }
}

/// The plugin in both directories, the server and the worker as they are.
fn is_run_by_our_worker(site: &Site) {
    let id = site
        .server
        .submit("sleep", &json!({"seconds": 0.1, "result": false}));
    let farm = Farm::with(&["sleep"]);
    let engine = format!("debusine+{}", site.server.url());
    // Before anybody can, it says who cannot.
    let number = id.to_string();
    let mut explain = farm.command(&["explain", &number, "--engine", &engine, "--json"]);
    Ran::of(&mut explain).fails(6, &["Authentication is needed", "TASKBAY_DEBUSINE_TOKEN"]);
    let explained = Ran::of(explain.env("TASKBAY_DEBUSINE_TOKEN", site.server.token()));
    assert_eq!(explained.succeeds().json()["id"], id);
    let mut worker = farm.command(&[
        "worker", "--name", "ours", "--slots", "1", "--engine", &engine,
    ]);
    let mut worker = worker
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let registered = "select token_id from db_worker where name like 'ours%'";
    until(LIMIT, "our worker does not register", || {
        site.server.records.rows(registered).pop()
    });
    site.server.records.change(&format!(
        "update db_token set enabled = true where id in ({registered})"
    ));
    until(LIMIT, "nobody runs it", || {
        (site.request(id)["status"] == "completed").then_some(())
    });
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert_eq!(site.request(id)["result"], "failure");
}

/// One that crashes, one that hangs, and one that is gone: the server goes on with all others.
#[test]
fn a_bad_plugin_costs_the_server_nothing() {
    let patience = "TASKBAY['plugin_timeout'] = 5.0\n";
    let Some(site) = Site::start(&["noop", "sleep"], patience) else {
        return;
    };
    let faults = ["can-run-crashes", "can-run-hangs"];
    let names = faults.map(unruly::name);
    for fault in faults {
        site.drop_file(&format!("{fault}.so"), &unruly::bytes(fault));
    }
    let bad = names.each_ref().map(|name| {
        until(LIMIT, "the plugin is no task", || {
            let (status, answer) = site.try_to_submit(name, &json!({}));
            (status == 200).then(|| answer["id"].as_i64().unwrap())
        })
    });
    let gone = site.server.submit("sleep", &json!({"seconds": 1}));
    fs::remove_file(site.path("plugins/libtaskbay_task_sleep.so")).unwrap();
    // Whoever asks its plugins now and then sees that it is gone the time after.
    site.schedules(3);
    let all = [&*names[0], &*names[1], "sleep", "noop"];
    let worker = site.worker("all", &offering(&all));
    let goes_on = || {
        let id = site.server.submit("noop", &json!({"result": true}));
        until(LIMIT, "the scheduler does not go on", || {
            site.request(id)["worker"].as_i64()
        });
        assert_eq!(worker.takes(), Some(id));
        assert_eq!(worker.completes(id), 200);
    };
    goes_on();
    for (id, told) in bad
        .iter()
        .zip(["killed by SIGSEGV", "no answer within 5 s"])
    {
        let kept = until(LIMIT, "no reason is kept", || {
            let explained = site.explain(*id);
            explained["recorded"].as_array().unwrap().first().cloned()
        });
        assert_eq!(kept["reasons"][0]["code"], "plugin-failed", "{kept}");
        assert!(
            kept["reasons"][0]["message"]
                .as_str()
                .unwrap()
                .contains(told),
            "{kept}"
        );
        assert_eq!(site.request(*id)["status"], "pending");
    }
    assert_eq!(site.explain(gone)["reasons"][0]["code"], "task-missing");

    // A server that starts without the plugin knows the task of its request all the same.
    site.restart();
    // A server that starts takes all its workers for gone.
    worker.comes();
    goes_on();
    assert_eq!(site.request(gone)["status"], "pending");
    assert_eq!(site.explain(gone)["reasons"][0]["code"], "task-missing");
    let log = site.server.log();
    assert!(!log.contains("raised unexpected"), "{log}");

    site.drop_in("sleep");
    until(LIMIT, "it is given to nobody", || {
        site.request(gone)["worker"].as_i64()
    });
    assert_eq!(worker.takes(), Some(gone));
}

/// Where that is wanted, requests come back from a worker that is gone, by the server's own timer.
#[test]
fn a_lost_workers_request_comes_back() {
    let wanted = r#"
CELERY_BEAT_SCHEDULE["taskbay-reaper"] = {"task": "taskbay_debusine.tasks.reap", "schedule": 1, "kwargs": {"gone_for": 16, "surely": True}}
"#;
    let Some(site) = Site::start(&["sleep"], wanted) else {
        return;
    };
    let lost = site.worker("lost", &offering(&["sleep"]));
    let here = site.worker("here", &offering(&[]));
    let id = site.server.submit("sleep", &json!({"seconds": 1}));
    until(LIMIT, "it is given to nobody", || {
        site.request(id)["worker"].as_i64()
    });
    assert_eq!(lost.takes(), Some(id));
    lost.goes();
    until(LIMIT, "it is not taken back", || {
        (site.request(id)["status"] == "aborted").then_some(())
    });
    let again = "select id, status from db_workrequest where supersedes_id = ";
    let again = site.server.records.row(&format!("{again}{id}"))["id"]
        .as_i64()
        .unwrap();
    here.says(&offering(&["sleep"]));
    until(LIMIT, "it is given to nobody", || {
        site.request(again)["worker"].as_i64()
    });
    assert_eq!(here.takes(), Some(again));
    // What the lost one says after all counts no more.
    lost.completes(id);
    assert_eq!(site.request(id)["status"], "aborted");
    assert_eq!(here.completes(again), 200);
    assert_eq!(site.request(again)["result"], "success");
    assert!(
        site.server
            .log()
            .contains(&format!("request {id} is taken back from lost"))
    );
    site.server
        .admin(&["taskbay_reap", "--gone-for", "0", "--surely"]);
}

/// The app's own tests, in the server's system and with its database.
#[test]
fn the_app_by_itself() {
    let Some(site) = Site::start(&["noop", "sleep"], "") else {
        return;
    };
    let fault = "can-run-crashes";
    site.drop_file("crashes.so", &unruly::bytes(fault));
    fs::copy(
        root().join("debusine-app/tests/test_app.py"),
        site.path("test_app.py"),
    )
    .unwrap();
    let crashing = format!("TASKBAY_TEST_CRASHING={}", unruly::name(fault));
    let words = ["env", &crashing, "python3", "/srv/test_app.py"];
    let ran = site
        .server
        .system
        .command(site.server.folder(), &words)
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// The Python module's own tests.
#[test]
fn the_module_by_itself() {
    let Some(packages) = packages() else { return };
    let farm = Farm::with(&["sleep"]);
    let fault = "can-run-crashes";
    farm.add_unruly(fault);
    // Who watches takes what has just been written for what is still written to.
    thread::sleep(Duration::from_secs(1));
    let ran = Command::new("python3")
        .arg(root().join("python/tests/test_taskbay.py"))
        .env("PYTHONPATH", packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HOME", farm.path("home"))
        .env("TASKBAY_TEST_PROGRAM", built().join("taskbay"))
        .env("TASKBAY_TEST_PLUGINS", farm.plugins())
        .env("TASKBAY_TEST_CRASHING", unruly::name(fault))
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}
