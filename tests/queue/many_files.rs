//! An artifact of more files than a process may have open.

use crate::{bay::Bay, unruly};
use serde_json::json;

pub(crate) fn an_artifact_of_many_files_goes_in_and_out(bay: &Bay) {
    bay.farm.add_unruly("fine");
    let serve = bay.start(&["serve", "--name", "here", "--slots", "1"]);
    serve.may_have_open(1024);
    let id = bay.submit(&[&unruly::name("fine"), r#"{"action": "many-files"}"#]);
    let request = bay.completes(id);
    assert_eq!(request["result"], json!("success"), "{request:#}");
    let logs = bay.run(&["logs", &id.to_string()]);
    assert!(
        logs.succeeds().stdout.contains("1500 files came back"),
        "{logs:?}"
    );
}
