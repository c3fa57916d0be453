//! Whether a task keeps what it takes, and refuses what it does not keep.

use crate::{
    Options,
    configuring::{SERIALISE, Taken},
    loading::Loaded,
    mutation::Change,
    test::{Tried, fault, join, passed},
};
use serde_json::Value;
use std::collections::BTreeMap;
use taskbay_worker::Failure;

/// What is given is given back.
pub(crate) fn keys(loaded: &Loaded, taken: &[Taken], options: &Options) -> Tried<()> {
    if let Some(place) = lost(taken) {
        return fault(
            format!("it takes `{place}`, and does not give it back: whoever gives it is not heard"),
            "serialise the field, without `#[serde(skip_serializing)]`: what is given back is what is executed",
        );
    }
    let mut hosts = options.hosts();
    for each in taken {
        match hosts.configure(&loaded.file, &each.configured.data) {
            Ok(again) if again == each.configured => {}
            Ok(_) => {
                return fault(
                    format!(
                        "configured again with the data that it gave back, the task gives back other data: {}",
                        each.given.what
                    ),
                    SERIALISE,
                );
            }
            Err(Failure::Invalid(faults)) => {
                return fault(
                    format!(
                        "it refuses the data that it gave back itself, {}: {}",
                        each.given.what,
                        join(&faults)
                    ),
                    SERIALISE,
                );
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    passed(format!(
        "all that is given is given back, and then stays as it is: {} variants",
        taken.len()
    ))
}

/// What nobody knows is refused, where the schema says at all what is known.
pub(crate) fn unknown(loaded: &Loaded, taken: &[Taken]) -> Tried<()> {
    let schema = loaded.described.schema.as_ref();
    if !schema.is_some_and(says_something) {
        return passed("any task data is taken");
    }
    match forgotten(taken) {
        None => passed("a key that nobody knows is refused, or given back"),
        Some(place) => fault(
            format!(
                "it takes and forgets a key that nobody knows, such as `{place}`: whoever mistypes one is not told"
            ),
            "put `#[serde(deny_unknown_fields)]` on the type, and `additionalProperties: false` into a schema of your own",
        ),
    }
}

/// Whether the schema limits anything.
fn says_something(schema: &Value) -> bool {
    let speaks = ["type", "properties", "allOf", "anyOf", "oneOf", "if"];
    // Itself alone says nothing.
    let refers = schema.get("$ref").is_some_and(|reference| reference != "#");
    refers || speaks.iter().any(|keyword| schema.get(keyword).is_some())
}

/// A key that is known and never given back, whatever its value, and that changes nothing else of what is given back.
fn lost(taken: &[Taken]) -> Option<&str> {
    let mut by_place: BTreeMap<&str, Vec<&Taken>> = BTreeMap::new();
    for each in taken {
        if each.given.change != Change::Unknown && !each.given.place.is_empty() {
            by_place.entry(&each.given.place).or_default().push(each);
        }
    }
    let is_lost = |(place, these): &(&str, Vec<&Taken>)| {
        let given = |each: &&Taken| {
            let value = each.given.data.pointer(place);
            value.is_some_and(|value| !is_nothing(value))
        };
        let is_back = |each: &&Taken| each.data.pointer(place).is_some();
        let has_none = !these.iter().any(is_back);
        let same = these.windows(2).all(|two| two[0].data == two[1].data);
        has_none && same && these.iter().any(given)
    };
    by_place.into_iter().find(is_lost).map(|(place, _)| place)
}

/// What may stand for no value, and be left out.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(array) => array.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

/// A key that nobody knows, taken and not given back.
fn forgotten(taken: &[Taken]) -> Option<&str> {
    let mut unknown = taken
        .iter()
        .filter(|each| each.given.change == Change::Unknown);
    let forgotten = unknown.find(|each| each.data.pointer(&each.given.place).is_none());
    forgotten.map(|each| each.given.place.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutation::Mutation;
    use serde_json::json;
    use taskbay_core::Configured;

    fn taken(change: Change, place: &str, given: Value, back: Value) -> Taken {
        Taken {
            given: Mutation {
                what: String::new(),
                change,
                place: place.to_owned(),
                data: given,
            },
            configured: Configured {
                data: back.to_string(),
                requirements: Vec::new(),
                ..Configured::default()
            },
            data: back,
        }
    }

    #[test]
    fn a_key_is_lost_where_no_value_of_it_makes_a_difference() {
        let of = |back: fn(&Value) -> Value| {
            let given = [json!({"a": 1}), json!({"a": 2}), json!({"a": null})];
            let taken: Vec<_> = given
                .into_iter()
                .map(|given| taken(Change::Value, "/a", given.clone(), back(&given)))
                .collect();
            lost(&taken).map(ToOwned::to_owned)
        };
        assert_eq!(of(|_| json!({})).as_deref(), Some("/a"));
        assert_eq!(of(Clone::clone), None);
        // An old name for it.
        assert_eq!(of(|given| json!({"b": given["a"]})), None);
        // Left out where it is the default.
        assert_eq!(
            of(|given| if given["a"] == 1 {
                json!({})
            } else {
                given.clone()
            }),
            None
        );
        let empty = taken(Change::Value, "/a", json!({"a": []}), json!({}));
        assert_eq!(lost(&[empty]), None);
    }

    #[test]
    fn a_schema_says_something_where_it_limits_anything() {
        for nothing in [
            json!(true),
            json!({}),
            json!({"$ref": "#"}),
            json!({"title": "x"}),
        ] {
            assert!(!says_something(&nothing), "{nothing}");
        }
        for something in [
            json!({"type": "object"}),
            json!({"$ref": "#/definitions/X"}),
        ] {
            assert!(says_something(&something), "{something}");
        }
    }

    #[test]
    fn what_takes_all_and_gives_it_back_forgets_nothing() {
        let place = "/no such key";
        let given = json!({"no such key": null});
        let kept = taken(Change::Unknown, place, given.clone(), given.clone());
        assert_eq!(forgotten(&[kept]), None);
        let forgets = taken(Change::Unknown, place, given, json!({}));
        assert_eq!(forgotten(&[forgets]), Some(place));
    }
}
