//! A task that Debusine does not know, as its server and our worker know it.

use super::{offering, ours::Ours};
use crate::{
    api::LIMIT,
    farm::{Farm, Ran},
    site::{Site, until},
    unruly,
};
use serde_json::json;
use std::fs;

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
    let _worker = Ours::starts(site, &farm);
    until(LIMIT, "nobody runs it", || {
        (site.request(id)["status"] == "completed").then_some(())
    });
    assert_eq!(site.request(id)["result"], "failure");
}

/// What the administrator says of a worker counts over what it reports, when a request is given to it and when it is executed.
#[test]
fn static_metadata_decides() {
    let Some(site) = Site::start(&["noop"], "") else {
        return;
    };
    // It requires what no worker says.
    let fault = "requires-unsaid";
    let task = unruly::name(fault);
    site.drop_file("unsaid.so", &unruly::bytes(fault));
    let id = until(LIMIT, "the plugin is no task", || {
        let (status, answer) = site.try_to_submit(&task, &json!({}));
        (status == 200).then(|| answer["id"].as_i64().unwrap())
    });
    let farm = Farm::with(&[]);
    farm.add_unruly(fault);
    let _worker = Ours::starts(&site, &farm);
    let key = format!("{task}:unsaid");
    until(LIMIT, "nobody says why not", || {
        let explained = site.explain(id);
        let reasons = &explained["recorded"][0]["reasons"];
        (reasons[0]["key"] == *key).then_some(())
    });
    assert_eq!(site.request(id)["status"], "pending");

    fs::write(site.path("static.yaml"), format!("{key:?}: true\n")).unwrap();
    let name = site
        .server
        .records
        .row("select name from db_worker where name like 'ours%'");
    let name = name["name"].as_str().unwrap();
    let edit = ["edit_worker_metadata", "--set", "/srv/static.yaml", name];
    site.server.admin(&edit);
    until(LIMIT, "nobody runs it", || {
        (site.request(id)["status"] == "completed").then_some(())
    });
    assert_eq!(site.request(id)["result"], "success");
    let log = fs::read_to_string(farm.path("log")).unwrap();
    assert!(
        log.contains("does not suit what this worker reports"),
        "{log}"
    );
}
