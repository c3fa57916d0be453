//! What is in the server's collections, asked for by a task that the server does not know: of one that it knows, it puts the
//! answer into the request itself.

use super::ours::Ours;
use crate::{
    api::LIMIT,
    farm::Farm,
    site::{Site, until},
    unruly,
};
use serde_json::json;
use std::fs;

#[test]
fn a_query_finds_what_is_in_a_collection() {
    let Some(site) = Site::start(&[], "") else {
        return;
    };
    let task = unruly::name("fine");
    site.drop_file("fine.so", &unruly::bytes("fine"));
    let farm = Farm::with(&[]);
    farm.add_unruly("fine");
    let _worker = Ours::starts(&site, &farm);

    let ends = |result: &str| {
        let id = until(LIMIT, "the plugin is no task", || {
            let (status, answer) = site.try_to_submit(&task, &json!({"action": "find"}));
            (status == 200).then(|| answer["id"].as_i64().unwrap())
        });
        until(LIMIT, "nobody runs it", || {
            (site.request(id)["status"] == "completed").then_some(())
        });
        assert_eq!(site.request(id)["result"], result);
        fs::read_to_string(farm.path("log")).unwrap()
    };
    let log = ends("error");
    let refused = "(404): One of the lookups returned no matches; \"'found@debian:environments' does not exist";
    assert!(log.contains(refused), "{log}");

    let create = "create_collection found debian:environments --data /dev/null";
    site.server.admin(&create.split(' ').collect::<Vec<_>>());
    let log = ends("success");
    assert!(!log.contains("] found "), "{log}");

    let ids = [("trixie", "amd64"), ("sid", "amd64"), ("trixie", "arm64")].map(|(codename, architecture)| {
        let category = "debian:system-tarball";
        let data = json!({
            "codename": codename, "architecture": architecture, "filename": "x.tar", "vendor": "debian", "mirror": "x",
            "variant": "minbase", "pkglist": {}, "with_dev": false, "with_init": false,
        });
        let id = site.server.store(category, &data);
        site.server.records.change(&format!(
            "insert into db_collectionitem (name, child_type, category, parent_collection_id, parent_category, artifact_id, data,
             created_at, created_by_user_id) select 'item{id}', 'a', '{category}', id, category, {id},
             '{{\"codename\": \"{codename}\", \"architecture\": \"{architecture}\"}}', now(), (select id from db_user where username = 'test')
             from db_collection where name = 'found'"
        ));
        id
    });
    let log = ends("success");
    let found = |index: usize, architecture: &str| {
        log.contains(&format!("found {}: \"{architecture}\"", ids[index]))
    };
    assert!(found(0, "amd64") && found(2, "arm64"), "{log}");
    assert!(!found(1, "amd64"), "{log}");
}
