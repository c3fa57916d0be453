//! What a worker has that is gone for good.

use super::offering;
use crate::{
    api::LIMIT,
    site::{Site, until},
};
use serde_json::json;

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
