//! The JSON documents that cross between plugin and host. Types that Rust lays out anew each time cross as these, so what
//! the layout check holds for the others is held here: each is read as it was recorded, and still says all that it said.
//!
//! A document that is new is added to `interfaces/documents.json`; one that is there is never changed.

use crate::generated::fixture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use taskbay_core::Declared;
use taskbay_plugin_api::{
    Artifact, Condition, Confinement, Lookup, Metadata, Query, Relation, RelationKind, Requirement,
    ServerCall, ServerReply, TaskConfigError,
    host::{Attempt, Description, Fault},
};

/// The documents that were recorded, of which each test takes those that it knows.
struct Recorded(BTreeMap<String, Value>);

impl Recorded {
    fn read() -> Self {
        Self(serde_json::from_str(&fixture("documents.json")).unwrap())
    }

    /// The document of that name is that value, and the value says all that the document does. An older side reads what is
    /// written here, so keys may come, and none may go or say something else.
    fn is<T: DeserializeOwned + Serialize>(&mut self, name: &str, value: &T) {
        let now = serde_json::to_value(value).unwrap();
        let then = self.0.remove(name);
        let then = then.unwrap_or_else(|| panic!("`{name}` is not recorded: {now}"));
        assert!(contains(&now, &then), "`{name}` was {then}, and is {now}");
        let read: T =
            serde_json::from_value(then).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(serde_json::to_value(read).unwrap(), now, "{name}");
    }
}

/// Whether one says all that the other does.
fn contains(all: &Value, part: &Value) -> bool {
    match (all, part) {
        (Value::Object(all), Value::Object(part)) => part
            .iter()
            .all(|(key, part)| all.get(key).is_some_and(|all| contains(all, part))),
        (Value::Array(all), Value::Array(part)) => {
            all.len() == part.len() && all.iter().zip(part).all(|(all, part)| contains(all, part))
        }
        _ => all == part,
    }
}

#[test]
fn every_document_is_what_it_was() {
    let mut recorded = Recorded::read();
    descriptions(&mut recorded);
    requirements(&mut recorded);
    faults(&mut recorded);
    calls(&mut recorded);
    replies(&mut recorded);
    let rest: Vec<_> = recorded.0.keys().collect();
    assert!(rest.is_empty(), "nobody reads these any more: {rest:?}");
}

fn descriptions(recorded: &mut Recorded) {
    let description = Description {
        name: "noop".to_owned(),
        version: 3,
        schema: Some(json!({"type": "object"})),
        has_can_run_on: true,
    };
    recorded.is("description", &description);
    let without = Description {
        schema: None,
        has_can_run_on: false,
        ..description
    };
    recorded.is("description of a task that takes anything", &without);
    let metadata = Metadata::parse(r#"{"noop:version": 1, "system:architectures": ["amd64"]}"#);
    recorded.is("metadata", &metadata.unwrap());
    let attempt = Attempt {
        number: 7,
        work_directory: "/job".into(),
    };
    recorded.is("attempt", &attempt);
    for confinement in [Confinement::None, Confinement::Limits, Confinement::Strict] {
        let declared = Declared {
            confinement,
            label: Some("build hello".to_owned()),
        };
        recorded.is(&format!("declared {confinement}"), &declared);
    }
}

fn requirements(recorded: &mut Recorded) {
    for requirement in [
        Requirement::equals("equals", json!({"a": [1, 2.5, null]})),
        Requirement::contains("contains", "amd64"),
        Requirement::at_least("at-least", 7.5),
        Requirement::present("present"),
        Requirement::new("absent", Condition::Present(false)),
        Requirement::one_of("one-of", ["a", "b"]),
        Requirement::equals("because", true).because("it is not installed"),
    ] {
        recorded.is(&format!("requirement {}", requirement.key()), &requirement);
    }
}

fn faults(recorded: &mut Recorded) {
    let errors = vec![
        TaskConfigError::new("/a/0", "it is wrong"),
        TaskConfigError::new("", "so is the whole").caused_by("the moon"),
    ];
    recorded.is("fault config", &Fault::Config { errors });
    let message = || "the disk is full".to_owned();
    recorded.is("fault failed", &Fault::Failed { message: message() });
    let location = "src/lib.rs:3".to_owned();
    recorded.is(
        "fault panic",
        &Fault::Panic {
            message: message(),
            location,
        },
    );
    recorded.is("fault poisoned", &Fault::Poisoned);
}

fn calls(recorded: &mut Recorded) {
    let text = || Lookup::Text("./x.dsc".to_owned());
    recorded.is(
        "call resolve",
        &ServerCall::Resolve {
            lookup: Lookup::Id(7),
        },
    );
    let directory = "/job/inputs".into();
    recorded.is(
        "call fetch",
        &ServerCall::Fetch {
            lookup: text(),
            directory,
        },
    );
    let text = r#"{"collection": "trixie@debian:suite", "data__package": "hello"}"#;
    let query: Query = serde_json::from_str(text).unwrap();
    recorded.is("call find", &ServerCall::Find { query });
    let artifact = artifact();
    recorded.is(
        "call upload",
        &ServerCall::Upload {
            artifact: artifact.clone(),
        },
    );
    let artifact = artifact.with_root("/job");
    recorded.is("call upload with a root", &ServerCall::Upload { artifact });
    for (name, kind) in [
        ("extends", RelationKind::Extends),
        ("relates to", RelationKind::RelatesTo),
        ("built using", RelationKind::BuiltUsing),
    ] {
        let relation = Relation {
            artifact: 101,
            target: 7,
            kind,
        };
        recorded.is(
            &format!("call relate, {name}"),
            &ServerCall::Relate { relation },
        );
    }
}

fn replies(recorded: &mut Recorded) {
    let artifact = artifact();
    recorded.is("reply artifact", &ServerReply::Artifact { id: 7, artifact });
    recorded.is("reply uploaded", &ServerReply::Uploaded { id: 101 });
    recorded.is("reply done", &ServerReply::Done);
    let ids = vec![7, 8];
    recorded.is("reply found", &ServerReply::Found { ids });
}

fn artifact() -> Artifact {
    let files = vec!["/job/a.txt".into(), "/job/b.txt".into()];
    Artifact::new("debian:lintian", json!({"tags": 3}), files)
}

#[test]
fn what_was_said_may_not_go() {
    let then = json!({"a": [{"b": 1}], "c": null});
    assert!(contains(
        &json!({"a": [{"b": 1, "new": 2}], "c": null, "d": 0}),
        &then
    ));
    for now in [
        json!({"a": [{"b": 1}]}),
        json!({"a": [{"b": 2}], "c": null}),
        json!({"a": [{"b": 1}, {}], "c": null}),
        json!([]),
    ] {
        assert!(!contains(&now, &then), "{now}");
    }
}
