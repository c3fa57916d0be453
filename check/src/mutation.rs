//! Task data with one thing changed, made of data that is right.

use crate::sample::sample;
use serde_json::{Value, json};
use taskbay_core::{escape_pointer_token, shorten};

/// The most places in a document that are changed: large data would take for ever.
const MOST_PLACES: usize = 64;

/// How many documents are made up for what the schema says of a key.
const SAMPLES: u32 = 24;

/// How much of a value is shown, in characters.
const SHOWN: usize = 60;

/// A key that no task has.
const UNKNOWN: &str = "no such key";

/// What is changed about task data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// There is another value in that place.
    Value,
    /// Nothing is in that place.
    Without,
    /// There is a key that nobody knows.
    Unknown,
}

/// Task data with one thing about it changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mutation {
    /// What was changed, in words.
    pub(crate) what: String,
    /// The same for programs.
    pub(crate) change: Change,
    /// The place that was changed, as a JSON pointer.
    pub(crate) place: String,
    /// The data.
    pub(crate) data: Value,
}

/// Every key dropped, every value of other types, and a key that nobody knows in every object. Keys that the schema speaks
/// of are tried with values of each type as well, and with such as it asks for.
pub(crate) fn mutations(data: &Value, schema: Option<&Value>) -> Vec<Mutation> {
    let mut places = Vec::new();
    walk(data, "", &mut places);
    let mut all = Vec::new();
    for place in &places {
        others(data, place, &mut all);
        let Some(object) = data.pointer(place).and_then(Value::as_object) else {
            continue;
        };
        for key in object.keys() {
            let mut without = object.clone();
            without.remove(key);
            let there = below(place, key);
            let what = format!("without `{there}`");
            all.extend(changed(
                data,
                place,
                without.into(),
                what,
                (Change::Without, &there),
            ));
        }
        let mut with = object.clone();
        with.insert(UNKNOWN.to_owned(), Value::Null);
        let there = below(place, UNKNOWN);
        let what = format!("with a key in `{place}` that nobody knows");
        all.extend(changed(
            data,
            place,
            with.into(),
            what,
            (Change::Unknown, &there),
        ));
    }
    if let (Some(schema), true) = (schema, data.is_object()) {
        asked_for(data, schema, &mut all);
    }
    all
}

/// Values of every type for the keys that only the schema speaks of, and for all of its keys what it asks for.
fn asked_for(data: &Value, schema: &Value, all: &mut Vec<Mutation>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    let samples: Vec<_> = (0..SAMPLES).map(|seed| sample(schema, seed)).collect();
    for key in properties.into_iter().flat_map(serde_json::Map::keys) {
        let place = below("", key);
        let mut with = data.clone();
        if with.get(key.as_str()).is_none() {
            with[key] = Value::Null;
            others(&with, &place, all);
        }
        let mut tried: Vec<&Value> = Vec::new();
        for value in samples.iter().filter_map(|sample| sample.get(key.as_str())) {
            if !tried.contains(&value) {
                tried.push(value);
                all.extend(other(&with, &place, value.clone()));
            }
        }
    }
}

/// The place of a key in the object in that place.
fn below(place: &str, key: &str) -> String {
    format!("{place}/{}", escape_pointer_token(key))
}

/// The places in a document, the whole first.
fn walk(value: &Value, place: &str, places: &mut Vec<String>) {
    if places.len() >= MOST_PLACES {
        return;
    }
    places.push(place.to_owned());
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                walk(value, &below(place, key), places);
            }
        }
        Value::Array(array) => {
            for (at, value) in array.iter().enumerate() {
                walk(value, &format!("{place}/{at}"), places);
            }
        }
        _ => {}
    }
}

/// Values of every type in that place.
fn others(data: &Value, place: &str, all: &mut Vec<Mutation>) {
    let values = [
        json!(null),
        json!(false),
        json!(-1),
        json!(0.5),
        json!(u64::MAX),
        json!(""),
        json!("ä\0"),
        json!([]),
        json!([null]),
        json!({}),
    ];
    all.extend(
        values
            .into_iter()
            .filter_map(|value| other(data, place, value)),
    );
}

fn other(data: &Value, place: &str, value: Value) -> Option<Mutation> {
    let shown = shorten(&value.to_string(), SHOWN).into_owned();
    let what = format!("with {shown} in the place of `{place}`");
    changed(data, place, value, what, (Change::Value, place))
}

/// The data with another value in that place.
fn changed(
    data: &Value,
    place: &str,
    value: Value,
    what: String,
    change: (Change, &str),
) -> Option<Mutation> {
    let mut data = data.clone();
    *data.pointer_mut(place)? = value;
    let (change, place) = (change.0, change.1.to_owned());
    Some(Mutation {
        what,
        change,
        place,
        data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_come_and_change_their_type() {
        let schema = json!({"properties": {"a": {}, "new": {"enum": ["it", "", 5]}}});
        let all = mutations(&json!({"a": {"b": [1]}}), Some(&schema));
        let has = |data: Value| all.iter().any(|each| each.data == data);
        assert!(has(json!({})));
        assert!(has(json!({"a": {}})));
        assert!(has(json!({"a": {"b": []}})));
        assert!(has(json!({"a": {"b": [false]}})));
        assert!(has(json!({"a": {"b": [1], "no such key": null}})));
        assert!(has(json!({"a": {"b": [1]}, "new": ""})));
        assert!(
            has(json!({"a": {"b": [1]}, "new": "it"})),
            "as the schema wants it"
        );
        assert!(has(json!([])));
        let what = all.iter().find(|each| each.data == json!({"a": {}}));
        assert!(what.unwrap().what.contains("/a"));
        let places = |change: Change| {
            let these = all.iter().filter(move |each| each.change == change);
            these.map(|each| each.place.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(places(Change::Without), ["/a", "/a/b"]);
        assert_eq!(places(Change::Unknown), ["/no such key", "/a/no such key"]);
        assert!(places(Change::Value).contains(&"/new"));
    }

    #[test]
    fn large_data_makes_not_too_many() {
        let data: Vec<_> = (0..10_000).collect();
        assert!(mutations(&json!(data), None).len() < 1000);
    }
}
