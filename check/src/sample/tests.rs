//! Made-up documents.

use super::*;
use taskbay_loader::Schema;

/// How many of a thousand documents are as the schema says.
fn valid(schema: &Value) -> usize {
    let compiled = Schema::compile(schema).unwrap();
    let is_valid = |seed: &u32| compiled.faults(&sample(schema, *seed)).is_empty();
    (0..1000).filter(is_valid).count()
}

#[test]
fn most_documents_are_as_the_schema_says_and_some_are_not() {
    let schema = json!({
        "type": "object",
        "required": ["name", "sides"],
        "properties": {
            "name": {"type": "string", "minLength": 3, "maxLength": 5},
            "level": {"type": ["integer", "null"], "minimum": 2, "maximum": 9},
            "ratio": {"type": "number", "minimum": 0, "maximum": 1},
            "mode": {"oneOf": [{"const": "fast", "type": "string"}, {"enum": ["slow"], "type": "string"}]},
            "sides": {"type": "array", "items": {"$ref": "#/definitions/Side"}, "minItems": 2, "maxItems": 2},
        },
        "additionalProperties": false,
        "definitions": {"Side": {"anyOf": [{"type": "boolean"}, {"allOf": [
            {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]},
            {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]},
        ]}]}},
    });
    let valid = valid(&schema);
    assert!((300..1000).contains(&valid), "{valid}");
}

#[test]
fn the_same_seed_makes_the_same_document() {
    let schema = json!({"type": "array", "items": {"type": "integer"}});
    assert_eq!(sample(&schema, 7), sample(&schema, 7));
    assert!((0..100).any(|seed| sample(&schema, seed) != sample(&schema, 7)));
}

#[test]
fn no_schema_keeps_it_busy_for_ever() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}, {"$ref": "#"}]}),
        json!({"type": "array", "items": {"$ref": "#"}, "minItems": 1_000_000_000_u64}),
        json!({"properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}}),
        json!({"type": "integer", "minimum": 5, "maximum": 2}),
        json!({"type": "string", "minLength": u64::MAX}),
        json!({"enum": []}),
        json!(false),
    ] {
        for seed in 0..20 {
            sample(&schema, seed);
        }
    }
}
