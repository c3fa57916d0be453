//! What each fuzz target does with its input. `cargo fuzz` and the replay of the corpus call the same code.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::fmt::{self, Debug};
use taskbay_core::{Manifest, Metadata, Requirement, ServerCall, ServerReply};
use taskbay_loader::{Evidence, Schema, inspect_bytes};
use taskbay_plugin_api::host::{Attempt, Description, Fault, api_version};

/// The longest that a message about a bad input may be, in characters.
const LONGEST_MESSAGE: usize = 1000;

/// A target's name, and what it does with an input.
type Target = (&'static str, fn(&[u8]));

/// All targets.
pub(crate) const TARGETS: [Target; 12] = [
    ("inspect", inspect),
    ("manifest", manifest),
    ("metadata", metadata),
    ("requirement", requirement),
    ("server_call", survives_crossing::<ServerCall>),
    ("server_reply", survives_crossing::<ServerReply>),
    ("attempt", survives_crossing::<Attempt>),
    ("fault", fault),
    ("description", description),
    ("task_data", task_data),
    ("evidence", survives_crossing::<Evidence>),
    ("frame", frame),
];

/// Gives an input to the target of that name.
pub(crate) fn run(target: &str, bytes: &[u8]) {
    let found = TARGETS.iter().find(|(name, _)| *name == target);
    let (_, body) = found.expect("there is a target of that name");
    body(bytes);
}

/// A file that may be a plugin.
fn inspect(bytes: &[u8]) {
    match inspect_bytes(bytes) {
        Ok(manifest) => accept(manifest),
        Err(error) => {
            is_short(&error);
            is_short(&error.help());
        }
    }
}

/// The content of a note.
fn manifest(bytes: &[u8]) {
    survives_crossing::<Manifest>(bytes);
    match Manifest::parse(bytes) {
        Ok(manifest) => accept(manifest),
        Err(error) => is_short(&error),
    }
}

fn accept(manifest: Manifest) {
    let name = manifest.name.clone();
    match manifest.accept(api_version()) {
        Ok(accepted) => assert!(accepted.name().as_str().eq_ignore_ascii_case(&name)),
        Err(refused) => {
            is_short(&refused);
            is_short(&refused.help());
        }
    }
}

/// What a worker, or a plugin's `analyze_worker`, says.
fn metadata(bytes: &[u8]) {
    survives_crossing::<Metadata>(bytes);
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    match Metadata::parse(text) {
        Ok(metadata) => {
            assert_eq!(
                serde_json::from_str::<Metadata>(text).ok().as_ref(),
                Some(&metadata)
            );
            for (key, value) in metadata.iter() {
                assert_eq!(metadata.value(key), Some(value));
            }
        }
        Err(error) => is_short(&error),
    }
}

/// What a plugin requires.
fn requirement(bytes: &[u8]) {
    survives_crossing::<Requirement>(bytes);
    let Ok(requirement) = serde_json::from_slice::<Requirement>(bytes) else {
        return;
    };
    let key = requirement.key().as_str();
    let mut worker = Metadata::default();
    // What is missing fulfils only the wish that it be missing.
    let wish = serde_json::to_value(&requirement).expect("what was read can be written");
    assert_eq!(
        requirement.holds(&worker),
        wish.get("present") == Some(&json!(false))
    );
    for value in [
        json!(null),
        json!(true),
        json!(7),
        json!("x"),
        json!(["x", 7]),
    ] {
        worker.insert(key, value);
        let reason = requirement.reason(&worker);
        assert!(reason.message.contains(key));
        // The reason goes to the host's parent.
        let text = serde_json::to_string(&reason).expect("a reason can be written");
        survives_crossing::<taskbay_core::Reason>(text.as_bytes());
    }
}

/// What a plugin answers instead of a value.
fn fault(bytes: &[u8]) {
    survives_crossing::<Fault>(bytes);
    let fault = Fault::from_json(&String::from_utf8_lossy(bytes));
    assert_eq!(Fault::from_json(&fault.to_json()), fault);
    assert!(!fault.to_string().is_empty() || bytes.len() < 100);
}

/// What a plugin says of its task.
fn description(bytes: &[u8]) {
    survives_crossing::<Description>(bytes);
    let Ok(description) = serde_json::from_slice::<Description>(bytes) else {
        return;
    };
    if let Some(Err(error)) = description.schema.as_ref().map(Schema::compile) {
        is_short(&error.message);
    }
}

/// What a plugin host and its parent say to each other.
fn frame(bytes: &[u8]) {
    taskbay_worker::check_frames(bytes);
}

/// Task data against a schema: the first line is the schema, the rest the data.
fn task_data(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (schema, data) = text.split_once('\n').unwrap_or(("", &text));
    let schema = serde_json::from_str(schema).unwrap_or_else(|_| a_schema());
    let Ok(data) = serde_json::from_str::<Value>(data) else {
        return;
    };
    match Schema::compile(&schema) {
        Ok(schema) => {
            for fault in schema.faults(&data) {
                is_short(&fault.message);
                assert!(data.pointer(&fault.pointer).is_some(), "{fault}");
            }
        }
        Err(error) => is_short(&error.message),
    }
}

/// A schema with everything that derived ones have: defaults, alternatives, references, documented variants.
fn a_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "result": {"type": "boolean", "default": true},
            "input": {"$ref": "#/$defs/Lookup"},
            "severity": {"oneOf": [{"const": "error"}, {"const": "info"}]},
            "tags": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}, "maxItems": 3},
            "seconds": {"type": ["integer", "null"], "format": "uint32", "minimum": 0},
        },
        "required": ["input"],
        "additionalProperties": false,
        "$defs": {"Lookup": {"anyOf": [{"type": "integer"}, {"type": "string"}]}},
    })
}

/// What is read can be written, and read again as what it was.
fn survives_crossing<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    let Ok(document) = serde_json::from_slice::<T>(bytes) else {
        return;
    };
    let text = serde_json::to_string(&document).expect("what was read can be written");
    let again: T = serde_json::from_str(&text).expect("what was written can be read");
    assert_eq!(again, document, "{text}");
}

/// A message is read in a terminal.
fn is_short(message: &impl fmt::Display) {
    let message = message.to_string();
    assert!(message.chars().count() <= LONGEST_MESSAGE, "{message}");
    assert!(!message.contains(char::is_control), "{message:?}");
}
