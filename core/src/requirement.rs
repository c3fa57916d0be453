//! Requirements: declared conditions on worker metadata, which the host evaluates itself.

use crate::{Metadata, MetadataKey, Reason, ReasonCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A condition on one metadata key.
///
/// As JSON it is the key and the condition: `{"key": "sbuild:available", "equals": true}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    key: MetadataKey,
    #[serde(flatten)]
    condition: Condition,
    /// What it means when the condition does not hold, in the words of the task's author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    because: Option<String>,
}

/// What must hold of the value under a key. A missing key fulfils none of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// It is this value; numbers are compared as numbers, so `1` equals `1.0`.
    Equals(Value),
    /// It is an array with this element, or a string with this part.
    Contains(Value),
    /// It is a number, and not below this one.
    AtLeast(f64),
    /// It is there and not null (`true`), or is missing or null (`false`).
    Present(bool),
    /// It is one of these values.
    OneOf(Vec<Value>),
}

impl Requirement {
    /// The value under `key` must fulfil `condition`.
    pub fn new(key: &str, condition: Condition) -> Self {
        Self {
            key: MetadataKey::new(key),
            condition,
            because: None,
        }
    }

    /// The value under `key` must be `value`.
    pub fn equals(key: &str, value: impl Into<Value>) -> Self {
        Self::new(key, Condition::Equals(value.into()))
    }

    /// The array or string under `key` must contain `value`.
    pub fn contains(key: &str, value: impl Into<Value>) -> Self {
        Self::new(key, Condition::Contains(value.into()))
    }

    /// The number under `key` must be `least` or more.
    pub fn at_least(key: &str, least: f64) -> Self {
        Self::new(key, Condition::AtLeast(least))
    }

    /// There must be a value under `key`.
    pub fn present(key: &str) -> Self {
        Self::new(key, Condition::Present(true))
    }

    /// The value under `key` must be one of `values`.
    pub fn one_of(key: &str, values: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        Self::new(
            key,
            Condition::OneOf(values.into_iter().map(Into::into).collect()),
        )
    }

    /// Says in words what another value means: the text ends the reason's message.
    #[must_use]
    pub fn because(mut self, text: impl Into<String>) -> Self {
        self.because = Some(text.into());
        self
    }

    /// The key that this is about.
    pub fn key(&self) -> &MetadataKey {
        &self.key
    }

    /// What must hold of the value under the key.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Whether a worker with this metadata fulfils it.
    pub fn holds(&self, worker: &Metadata) -> bool {
        self.condition.holds(worker.get(&self.key))
    }

    /// Why a worker that does not fulfil it is refused.
    pub fn reason(&self, worker: &Metadata) -> Reason {
        let found = worker.get(&self.key);
        let mut message = match found {
            None => format!("`{}` is missing", self.key),
            Some(found) => format!("`{}` is {}", self.key, shorten(found)),
        };
        message.push_str(", wanted: ");
        message.push_str(&self.condition.describe());
        if let Some(because) = &self.because {
            // What is not reported may still be there.
            message.push_str(if found.is_some() { ": " } else { "; perhaps " });
            message.push_str(because);
        }
        Reason {
            code: ReasonCode::Requirement,
            key: Some(self.key.as_str().to_owned()),
            wanted: Some(self.condition.wanted()),
            found: found.cloned(),
            message,
        }
    }
}

impl Condition {
    /// Whether it holds of what is found under a key.
    pub fn holds(&self, found: Option<&Value>) -> bool {
        let Some(found) = found else {
            return *self == Self::Present(false);
        };
        match self {
            Self::Equals(wanted) => same(found, wanted),
            Self::Contains(wanted) => match (found, wanted) {
                (Value::Array(elements), wanted) => elements.iter().any(|each| same(each, wanted)),
                (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
                _ => false,
            },
            Self::AtLeast(least) => found.as_f64().is_some_and(|number| number >= *least),
            Self::Present(wanted) => found.is_null() != *wanted,
            Self::OneOf(values) => values.iter().any(|wanted| same(found, wanted)),
        }
    }

    pub(crate) fn wanted(&self) -> Value {
        match self {
            Self::Equals(value) | Self::Contains(value) => value.clone(),
            Self::AtLeast(least) => (*least).into(),
            Self::Present(wanted) => (*wanted).into(),
            Self::OneOf(values) => values.clone().into(),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Equals(value) => shorten(value),
            Self::Contains(value) => format!("something with {}", shorten(value)),
            Self::AtLeast(least) => format!("{least} or more"),
            Self::Present(true) => "any value".to_owned(),
            Self::Present(false) => "no value".to_owned(),
            Self::OneOf(values) => {
                let values: Vec<_> = values.iter().map(shorten).collect();
                format!("one of {}", values.join(", "))
            }
        }
    }
}

/// JSON equality, except that numbers are equal when their values are.
#[inline]
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        // Most are one of these two.
        (Value::Bool(x), Value::Bool(y)) => x == y,
        (Value::String(x), Value::String(y)) => x == y,
        _ => same_otherwise(a, b),
    }
}

#[inline(never)]
fn same_otherwise(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        _ => a == b,
    }
}

/// The value as JSON text, cut where a message would become unreadable.
fn shorten(value: &Value) -> String {
    const LONGEST: usize = 120;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(requirement: &Requirement, worker: &Value, expected: bool) {
        let worker = Metadata::parse(&worker.to_string()).unwrap();
        assert_eq!(requirement.holds(&worker), expected, "{requirement:?}");
    }

    #[test]
    fn each_condition_holds_or_not() {
        let equals = Requirement::equals("a", 1);
        check(&equals, &json!({"a": 1.0}), true);
        check(&equals, &json!({"a": "1"}), false);
        check(&equals, &json!({}), false);
        let contains = Requirement::contains("a", "amd64");
        check(&contains, &json!({"a": ["i386", "amd64"]}), true);
        check(&contains, &json!({"a": ["i386"]}), false);
        check(&contains, &json!({"a": "linux-amd64"}), true);
        check(&contains, &json!({"a": 7}), false);
        let at_least = Requirement::at_least("a", 2.0);
        check(&at_least, &json!({"a": 2}), true);
        check(&at_least, &json!({"a": 1.9}), false);
        check(&at_least, &json!({"a": "3"}), false);
        let present = Requirement::present("a");
        check(&present, &json!({"a": false}), true);
        check(&present, &json!({"a": null}), false);
        let absent = Requirement::new("a", Condition::Present(false));
        check(&absent, &json!({}), true);
        check(&absent, &json!({"a": 1}), false);
        let one_of = Requirement::one_of("a", ["x", "y"]);
        check(&one_of, &json!({"a": "y"}), true);
        check(&one_of, &json!({"a": "z"}), false);
    }

    #[test]
    fn crosses_as_json_and_back() {
        for requirement in [
            Requirement::equals("a:b", true).because("no b"),
            Requirement::contains("a:b", "x"),
            Requirement::at_least("a:b", 1.5),
            Requirement::present("a:b"),
            Requirement::one_of("a:b", [1, 2]),
        ] {
            let text = serde_json::to_string(&requirement).unwrap();
            let back: Requirement = serde_json::from_str(&text).unwrap();
            assert_eq!(back, requirement, "{text}");
        }
        assert_eq!(
            serde_json::to_value(Requirement::equals("a:b", true)).unwrap(),
            json!({"key": "a:b", "equals": true})
        );
    }

    #[test]
    fn the_reason_names_key_wanted_and_found() {
        let worker = Metadata::parse(r#"{"lintian:available": false}"#).unwrap();
        let reason = Requirement::equals("lintian:available", true)
            .because("lintian is not installed")
            .reason(&worker);
        assert_eq!(
            reason.message,
            "`lintian:available` is false, wanted: true: lintian is not installed"
        );
        let silent = Requirement::equals("lintian:available", true)
            .because("lintian is not installed")
            .reason(&Metadata::default());
        assert_eq!(
            silent.message,
            "`lintian:available` is missing, wanted: true; perhaps lintian is not installed"
        );
        assert_eq!(reason.found, Some(json!(false)));
        let long = Requirement::equals("a", "ü".repeat(500)).reason(&worker);
        assert!(long.message.chars().count() < 200, "{}", long.message);
    }
}
