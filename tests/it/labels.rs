//! What a request has its task do, in a line.

use crate::{farm::Farm, unruly};

/// What a request has its task do is said in one line, whatever the plugin says.
#[test]
fn a_label_is_one_line() {
    let farm = Farm::with(&["sleep"]);
    for fault in ["label-long", "label-escapes", "label-panics"] {
        farm.add_unruly(fault);
    }
    let label = |name: &str, data: &str| {
        let ran = farm.run(&["validate", name, data, "--json"]);
        ran.succeeds().json()["label"].as_str().unwrap().to_owned()
    };
    let sleep = r#"{"seconds": 0.1}"#;
    assert_eq!(label("sleep", sleep), "sleep for 0.1 s");
    assert_eq!(
        label(&unruly::name("label-escapes"), "{}"),
        "a\\u{1b}[2J\\nb"
    );
    let long = label(&unruly::name("label-long"), "{}");
    assert_eq!(long.chars().count(), 201, "{long}");
    farm.run(&["validate", &unruly::name("label-panics"), "{}"])
        .fails(5, &["label panics"]);
    let ran = farm.run(&["run", "sleep", sleep, "-v"]);
    assert!(
        ran.succeeds().stderr.contains("sleep for 0.1 s"),
        "{ran:#?}"
    );
}
