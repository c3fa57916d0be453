//! Tasks that run in a system which the engine has.

use crate::bay::Bay;
use serde_json::json;
use std::fs;
use taskbay_engine::{NewArtifact, NewFile, open};
use taskbay_test::skip;

/// A worker takes the newest environment of the store that fits, or says what there is none for.
pub(crate) fn an_environment_is_found_by_what_it_is(bay: &Bay) {
    let here = bay.run(&["analyze", "--json"]).succeeds().json();
    if here["executor:unshare:available"] != true {
        let reason = &here["executor:unshare:reason"];
        skip(reason);
        return;
    }
    fs::copy(
        crate::farm::built().join("libtaskbay_task_blhc.so"),
        bay.farm.plugins().join("blhc.so"),
    )
    .unwrap();
    let engine = open(bay.url()).unwrap();
    // That it is broken shows that it was found: unpacking a real one is `taskbay-debian`'s test.
    for (codename, name) in [
        ("sid", "old.tar"),
        ("sid", "new.tar"),
        ("trixie", "other.tar"),
    ] {
        let data = json!({"vendor": "debian", "codename": codename, "architecture": "amd64", "variant": "buildd"});
        let file = NewFile {
            name: name.to_owned(),
            content: Box::new(&b"no tarball"[..]),
        };
        let system = NewArtifact {
            category: "debian:system-tarball".to_owned(),
            data,
            files: vec![file],
            made_by: None,
        };
        engine.create_artifact(system).unwrap();
    }
    let _serve = bay.start(&["serve", "--name", "here"]);
    let error = |environment: &str| {
        let data = json!({"input": {"artifact": 1}, "environment": environment}).to_string();
        let request = bay.completes(bay.submit(&["blhc", &data]));
        assert_eq!(request["result"], "error", "{request}");
        request["errors"][0]["message"].as_str().unwrap().to_owned()
    };
    let found = error("debian/match:codename=sid:variant=buildd");
    assert!(
        found.contains("cannot unpack the environment new.tar"),
        "{found}"
    );
    let none = error("debian/match:codename=sid:variant=minbase");
    assert!(
        none.contains("the engine has no `debian:system-tarball` for"),
        "{none}"
    );
    assert!(
        none.contains("make one with the task `mmdebstrap`"),
        "{none}"
    );
    let bare = error("debian/match:codename");
    assert!(
        bare.contains("`codename` has no value; write KEY=VALUE"),
        "{bare}"
    );
}
