//! Plugins that are bad cost the server nothing.

use super::offering;
use crate::{
    api::LIMIT,
    site::{Site, until},
    unruly,
};
use serde_json::json;
use std::fs;

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
