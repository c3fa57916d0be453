//! Task data with one thing wrong, made of data that is right.

use serde_json::{Value, json};
use taskbay_core::escape_pointer_token;

/// The most places in a document that are changed: large data would take for ever.
const MOST_PLACES: usize = 64;

/// Task data with one thing about it changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mutation {
    /// What was changed, in words.
    pub(crate) what: String,
    /// The data.
    pub(crate) data: Value,
}

/// Every key dropped, every value of other types, and a key that nobody knows in every object. Keys that only the schema
/// speaks of are tried with values of each type as well.
pub(crate) fn mutations(data: &Value, schema: Option<&Value>) -> Vec<Mutation> {
    let mut places = Vec::new();
    walk(data, "", &mut places);
    let mut all = Vec::new();
    for place in &places {
        others(data, place, &mut all);
        let Some(found) = data.pointer(place) else {
            continue;
        };
        for key in found
            .as_object()
            .into_iter()
            .flat_map(serde_json::Map::keys)
        {
            let what = format!("without `{place}/{key}`");
            change(data, place, what, &mut all, |object| {
                object.as_object_mut().map(|object| object.remove(key));
            });
        }
        if found.is_object() {
            let what = format!("with a key in `{place}` that nobody knows");
            change(data, place, what, &mut all, |object| {
                object["no such key"] = Value::Null;
            });
        }
    }
    let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
    let keys = properties.into_iter().flat_map(serde_json::Map::keys);
    for key in keys.filter(|key| data.is_object() && data.get(key.as_str()).is_none()) {
        let mut with = data.clone();
        with[key] = Value::Null;
        let place = format!("/{}", escape_pointer_token(key));
        others(&with, &place, &mut all);
    }
    all
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
                walk(
                    value,
                    &format!("{place}/{}", escape_pointer_token(key)),
                    places,
                );
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
    for value in values {
        let what = format!("with {value} in the place of `{place}`");
        change(data, place, what, all, |found| *found = value);
    }
}

fn change(
    data: &Value,
    place: &str,
    what: String,
    all: &mut Vec<Mutation>,
    change: impl FnOnce(&mut Value),
) {
    let mut data = data.clone();
    if let Some(found) = data.pointer_mut(place) {
        change(found);
        all.push(Mutation { what, data });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_come_and_change_their_type() {
        let schema = json!({"properties": {"a": {}, "new": {}}});
        let all = mutations(&json!({"a": {"b": [1]}}), Some(&schema));
        let has = |data: Value| all.iter().any(|each| each.data == data);
        assert!(has(json!({})));
        assert!(has(json!({"a": {}})));
        assert!(has(json!({"a": {"b": []}})));
        assert!(has(json!({"a": {"b": [false]}})));
        assert!(has(json!({"a": {"b": [1], "no such key": null}})));
        assert!(has(json!({"a": {"b": [1]}, "new": ""})));
        assert!(has(json!([])));
        let what = all.iter().find(|each| each.data == json!({"a": {}}));
        assert!(what.unwrap().what.contains("/a"));
    }

    #[test]
    fn large_data_makes_not_too_many() {
        let data: Vec<_> = (0..10_000).collect();
        assert!(mutations(&json!(data), None).len() < 1000);
    }
}
