//! Queries: how task data names artifacts by what they are.

use crate::Lookup;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{borrow::Cow, fmt};

/// Names all artifacts of a collection that match, as Debusine's lookups of several do: `{"collection":
/// "trixie@debian:suite", "data__package": "hello"}`.
///
/// It is the server's to say which these are, so nothing of it is decided here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// The collection, by its name and category, or by its number.
    pub collection: Lookup,
    /// What must be so of its items, such as `category`, `name`, `name__startswith`, `data__KEY`, `lookup__KEY`.
    #[serde(flatten)]
    pub conditions: Map<String, Value>,
}

/// What Debusine 0.11.3 or 0.16.2 takes; each refuses what it does not know. Their documentation has it under "Multiple
/// lookup".
impl JsonSchema for Query {
    fn schema_name() -> Cow<'static, str> {
        "Query".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let collection = generator.subschema_for::<Lookup>();
        json_schema!({
            "description": "All artifacts of a collection that match.",
            "type": "object",
            "properties": {
                "collection": collection,
                "child_type": {"const": "artifact"},
                "category": {"type": ["string", "null"], "description": "The category of its items, such as `debian:binary-package`."},
                "error_on_empty": {"type": "boolean", "description": "Whether it is an error where nothing matches."},
            },
            "patternProperties": {
                "^name(__(contains|startswith|endswith|in))?$": {},
                "^data__[^_]+(_[^_]+)*(__(contains|startswith|endswith|in))?$": {},
                "^lookup__.+$": {"type": ["integer", "string", "object", "array"]},
            },
            "additionalProperties": false,
            "required": ["collection"],
        })
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match serde_json::to_string(self) {
            Ok(text) => f.write_str(&text),
            // Not to be had, as it is made of JSON values alone.
            Err(_) => write!(f, "a query of {}", self.collection),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_query_is_kept_as_it_is() {
        let text =
            r#"{"collection":"trixie@debian:suite","data__package":"hello","name__in":["a","b"]}"#;
        let query: Query = serde_json::from_str(text).unwrap();
        assert_eq!(query.collection, Lookup::Text("trixie@debian:suite".into()));
        assert_eq!(query.conditions["data__package"], "hello");
        assert_eq!(query.to_string(), text);
        assert!(serde_json::from_value::<Query>(json!({"category": "x"})).is_err());
    }
}
