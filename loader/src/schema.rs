//! The schema of a task's data, compiled once.

use jsonschema::{Draft, ValidationError, Validator, error::ValidationErrorKind};
use serde_json::Value;
use taskbay_core::{TaskConfigError, shorten};

/// The longest message about one fault; a message may quote the data, which may have any size.
const LONGEST_MESSAGE: usize = 400;
/// The most faults that are reported.
const MOST_FAULTS: usize = 100;

/// A compiled JSON Schema. It can fetch nothing: a `$ref` that leads out of the document is refused when it is compiled.
#[derive(Debug)]
pub struct Schema(Validator);

/// Why a document is no schema to go by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its schema is invalid at `{pointer}`: {message}")]
pub struct SchemaError {
    /// Where in the schema, as a JSON pointer.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl Schema {
    /// Compiles a schema: of the draft that it names, else of draft 7.
    ///
    /// # Errors
    ///
    /// When it is no valid schema, or refers to something outside itself.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        let names_draft = schema.get("$schema").is_some();
        let options = jsonschema::options().offline();
        let options = if names_draft {
            options
        } else {
            options.with_draft(Draft::Draft7)
        };
        options
            .build(schema)
            .map(Self)
            .map_err(|error| SchemaError {
                pointer: error.instance_path().to_string(),
                message: shorten(&error.to_string(), LONGEST_MESSAGE).into_owned(),
            })
    }

    /// Everything in `data` that is against the schema; at most a hundred faults.
    pub fn faults(&self, data: &Value) -> Vec<TaskConfigError> {
        // `is_valid` is the fast path: most data is.
        if self.0.is_valid(data) {
            return Vec::new();
        }
        self.0
            .iter_errors(data)
            .flat_map(|error| faults(&error))
            .take(MOST_FAULTS)
            .collect()
    }
}

/// What is wrong. Of alternatives of which one alone is of the data's type, as a list is where a list or a query may stand,
/// it is what is wrong by that one, with its own place.
fn faults(error: &ValidationError<'_>) -> Vec<TaskConfigError> {
    if let Some(meant) = meant(error) {
        return meant.iter().flat_map(faults).collect();
    }
    let message = say(error);
    vec![TaskConfigError::new(
        error.instance_path().to_string(),
        shorten(&message, LONGEST_MESSAGE),
    )]
}

/// The faults by the one alternative that the data can mean. What is neither an object nor a list means none more than another.
fn meant<'a>(error: &'a ValidationError<'_>) -> Option<&'a [ValidationError<'static>]> {
    let alternatives = alternatives(error)?;
    if !(error.instance().is_object() || error.instance().is_array()) {
        return None;
    }
    let mut meant = alternatives.iter().filter(|errors| is_meant(error, errors));
    match (meant.next(), meant.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

/// Whether what is wrong is the type of the data itself, by all alternatives where there are some.
fn is_of_another_type(error: &ValidationError<'_>) -> bool {
    if matches!(error.kind(), ValidationErrorKind::Type { .. }) {
        return true;
    }
    alternatives(error).is_some_and(|all| !all.iter().any(|errors| is_meant(error, errors)))
}

/// Whether an alternative, by which these are the faults, is of the data's type.
fn is_meant(error: &ValidationError<'_>, errors: &[ValidationError<'_>]) -> bool {
    let mut here = errors
        .iter()
        .filter(|inner| inner.instance_path() == error.instance_path());
    !here.any(is_of_another_type)
}

fn alternatives<'a>(error: &'a ValidationError<'_>) -> Option<&'a [Vec<ValidationError<'static>>]> {
    match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            Some(context)
        }
        _ => None,
    }
}

/// What is wrong. Of alternatives that all fail, which is how an enum with documented variants or an optional value is
/// written, says what each wants instead of naming the keyword.
fn say(error: &ValidationError<'_>) -> String {
    let Some(context) = alternatives(error) else {
        return error.to_string();
    };
    let wanted: Option<Vec<String>> = context.iter().map(|errors| value(errors)).collect();
    if let Some(wanted) = wanted {
        return format!("{} is not one of {}", error.instance(), wanted.join(", "));
    }
    let each: Vec<String> = context
        .iter()
        .filter_map(|errors| errors.first().map(say))
        .collect();
    each.join("; or ")
}

/// The one value, or the values, that an alternative wants, where that is all that it is about.
fn value(errors: &[ValidationError<'_>]) -> Option<String> {
    // Data of another type fails by its type as well.
    errors.iter().find_map(|error| match error.kind() {
        ValidationErrorKind::Constant { expected_value } => Some(expected_value.to_string()),
        ValidationErrorKind::Enum { options } => {
            let options: Vec<_> = options.as_array()?.iter().map(Value::to_string).collect();
            Some(options.join(", "))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_faults_have_pointers() {
        let schema = Schema::compile(&json!({
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"items": {"type": "string"}}},
            "additionalProperties": false,
        }))
        .unwrap();
        assert_eq!(schema.faults(&json!({"a": 1})), []);
        let faults = schema.faults(&json!({"a": "x", "b": ["y", 2], "c": null}));
        let mut pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        pointers.sort_unstable();
        assert_eq!(pointers, ["", "/a", "/b/1"]);
    }

    #[test]
    fn alternatives_say_what_they_want() {
        let schema = Schema::compile(&json!({"properties": {
            "severity": {"oneOf": [
                {"const": "error", "type": "string", "description": "documented"},
                {"enum": ["info", "none"], "type": "string"},
            ]},
            "lookup": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        }}))
        .unwrap();
        let message = |data: Value| schema.faults(&data)[0].message.clone();
        let severity = r#" is not one of "error", "info", "none""#;
        assert_eq!(
            message(json!({"severity": "eror"})),
            format!(r#""eror"{severity}"#)
        );
        assert_eq!(message(json!({"severity": 7})), format!("7{severity}"));
        assert_eq!(
            message(json!({"lookup": 5.5})),
            r#"5.5 is not of type "integer"; or 5.5 is not of type "string""#
        );
    }

    #[test]
    fn a_fault_within_an_alternative_has_its_own_place() {
        let query = json!({"type": "object", "required": ["in"], "additionalProperties": false,
            "properties": {"in": {"type": "string"}}});
        let schema = Schema::compile(&json!({"properties": {"a": {"anyOf": [
            query,
            {"type": "array", "items": {"anyOf": [{"anyOf": [{"type": "integer"}, {"type": "boolean"}]}, query]}},
            {"type": "null"},
        ]}}}))
        .unwrap();
        let faults = |data: Value| {
            let faults = schema.faults(&json!({"a": data}));
            faults.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let missing = r#""in" is a required property"#;
        assert_eq!(faults(json!({})), [format!("/a: {missing}")]);
        assert_eq!(
            faults(json!([7, {}, {"in": 7}, "x"])),
            [
                format!("/a/1: {missing}"),
                r#"/a/2/in: 7 is not of type "string""#.to_owned(),
                r#"/a/3: "x" is not of type "integer"; or "x" is not of type "boolean"; or "x" is not of type "object""#
                    .to_owned(),
            ]
        );
        assert_eq!(
            faults(json!("x")),
            [
                r#"/a: "x" is not of type "object"; or "x" is not of type "array"; or "x" is not of type "null""#
            ]
        );
    }

    #[test]
    fn nothing_is_fetched() {
        for reference in ["http://example.org/schema.json", "file:///etc/passwd"] {
            let error = Schema::compile(&json!({"$ref": reference})).unwrap_err();
            assert!(
                error.to_string().starts_with("its schema is invalid"),
                "{error}"
            );
        }
        assert!(Schema::compile(&json!({"type": 7})).is_err());
    }

    #[test]
    fn messages_stay_short_whatever_the_data() {
        let schema = Schema::compile(&json!({"type": "integer"})).unwrap();
        let faults = schema.faults(&json!("x".repeat(1_000_000)));
        assert!(faults[0].message.len() < 1000);
        assert!(faults[0].message.ends_with("is not of type \"integer\""));
    }
}
