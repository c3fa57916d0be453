//! Verdicts and their reasons.

use crate::{farm::Farm, unruly};
use serde_json::{Value, json};

fn verdict(data: &str, worker: &Value) -> Value {
    let farm = Farm::with(&[]);
    farm.add_unruly("fine");
    let ran = farm.run(&[
        "can-run",
        &unruly::name("fine"),
        data,
        "--worker",
        &worker.to_string(),
        "--json",
    ]);
    let json = ran.json();
    assert_eq!(
        ran.code,
        Some(i32::from(json["can_run"] != true)),
        "{ran:?}"
    );
    json
}

#[test]
fn reasons_have_code_key_wanted_found_and_message() {
    let name = unruly::name("fine");
    let version = format!("{name}:version");
    let level = format!("{name}:level");
    assert_eq!(
        verdict("{}", &json!({&version: 1})),
        json!({"can_run": true, "reasons": []})
    );
    let no = verdict(
        r#"{"level": 7, "host_architecture": "arm64"}"#,
        &json!({&version: 1, &level: 5}),
    );
    let codes: Vec<_> = no["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| &reason["key"])
        .collect();
    assert_eq!(codes, ["system:architectures", level.as_str()]);
    assert_eq!(no["reasons"][1]["wanted"], 7.0);
    assert_eq!(no["reasons"][1]["found"], 5);
    let own = verdict("{}", &json!({&version: 1, "moon": "full"}));
    assert_eq!(own["reasons"][0]["code"], "refused");
    assert_eq!(own["reasons"][1]["message"], "wolves are out");
}

/// A worker without the tool is refused with that reason; with an environment the executor's key is required instead.
#[test]
fn a_missing_tool_is_the_reason() {
    let farm = Farm::with(&["lintian"]);
    let ask =
        |data: &str, worker: &str| farm.run(&["can-run", "lintian", data, "--worker", worker]);
    let worker =
        r#"{"lintian:version": 1, "lintian:available": false, "executor:unshare:available": true}"#;
    let refused = ask(r#"{"input": {"source_artifact": 1}}"#, worker);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stdout.contains("lintian is not installed"),
        "{refused:?}"
    );
    ask(
        r#"{"input": {"source_artifact": 1}, "environment": "debian/match:codename=bookworm"}"#,
        worker,
    )
    .succeeds();
}

/// A worker without the tool does not run the task either.
#[test]
fn an_unsuitable_machine_does_not_run_it() {
    let farm = Farm::with(&["blhc"]);
    let mut command = farm.command(&[
        "run",
        "blhc",
        r#"{"input": {"artifact": "./x.build"}}"#,
        "--json",
    ]);
    let ran = crate::farm::Ran::of(command.env("PATH", "/nonexistent"));
    assert_eq!(
        (ran.code, &ran.json()["errors"][0]["code"]),
        (Some(1), &"unsuitable".into()),
        "{ran:?}"
    );
}
