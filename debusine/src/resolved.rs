//! Task data in which the server's answers stand for lookups.

use serde_json::{Map, Value};

/// The deepest that names are followed.
const DEEPEST: usize = 8;

/// Where repositories stand, in both.
const REPOSITORIES: &str = "extra_repositories";

/// The task's data, with the artifacts that the server found in the place of the lookups that it found them by: what is found
/// under `a`, `b` of the data is `a_b_id` of the dynamic data, and `a_b_ids` where there are several, or several lists of them.
/// The server asks for more than the lookup says, such as an environment's architecture, so its answer counts. Of further
/// repositories, which may be its own, it says the addresses under their own name.
pub(crate) fn resolved(data: &Value, dynamic: &Value) -> Value {
    let mut data = data.clone();
    if let Value::Object(dynamic) = dynamic {
        let repositories = dynamic.get(REPOSITORIES).filter(|found| found.is_array());
        if let (Some(asked), Some(found)) = (data.get_mut(REPOSITORIES), repositories) {
            *asked = found.clone();
        }
        resolve(&mut data, "", dynamic, DEEPEST);
    }
    data
}

fn resolve(data: &mut Value, prefix: &str, dynamic: &Map<String, Value>, deepest: usize) {
    let Value::Object(map) = data else {
        return;
    };
    for (key, value) in map {
        let name = format!("{prefix}{key}");
        if let Some(found) = answer(dynamic, &name) {
            *value = found;
        } else if deepest > 0 {
            resolve(value, &format!("{name}_"), dynamic, deepest - 1);
        }
    }
}

/// The number or numbers of artifacts that the server found under that name.
fn answer(dynamic: &Map<String, Value>, name: &str) -> Option<Value> {
    if let Some(id @ Value::Number(_)) = dynamic.get(&format!("{name}_id")) {
        return Some(id.clone());
    }
    match dynamic.get(&format!("{name}_ids"))? {
        Value::Array(ids) if ids.iter().all(Value::is_u64) || ids.iter().all(are_ids) => {
            Some(Value::Array(ids.clone()))
        }
        _ => None,
    }
}

/// Whether these are the numbers of what one of several lookups finds.
fn are_ids(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|ids| ids.iter().all(Value::is_u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_stand_for_lookups() {
        let data = json!({
            "environment": "debian/match:codename=trixie",
            "input": {"source_artifact": "a@b", "binary_artifacts": {"collection": "x"}, "extra": [1]},
            "backend": "unshare",
        });
        let dynamic = json!({
            "environment_id": 63, "input_source_artifact_id": 65, "input_binary_artifacts_ids": [7, 8],
            "backend_id": null, "input_extra_ids": ["x"], "subject": "tiny",
        });
        let expected = json!({
            "environment": 63,
            "input": {"source_artifact": 65, "binary_artifacts": [7, 8], "extra": [1]},
            "backend": "unshare",
        });
        assert_eq!(resolved(&data, &dynamic), expected);
        assert_eq!(resolved(&data, &Value::Null), data);
        assert_eq!(resolved(&json!(1), &dynamic), json!(1));
    }

    /// As for debdiff: each lookup finds several.
    #[test]
    fn answers_stand_for_several_lookups_of_several() {
        let collection = json!({"collection": "x"});
        let asked = json!({"input": {"binary_artifacts": [collection, [7, "b@c"]]}});
        let with = |ids: Value| resolved(&asked, &json!({"input_binary_artifacts_ids": ids}));
        let found = json!([[5, 6], [7, 8]]);
        let expected = json!({"input": {"binary_artifacts": found}});
        assert_eq!(with(found), expected);
        for other in [json!([[5], 6]), json!([[5], ["x"]]), json!([[[5]]])] {
            assert_eq!(with(other), asked);
        }
    }

    #[test]
    fn repositories_have_addresses() {
        let asked = json!({"extra_repositories": [{"suite": "a@debian:suite"}]});
        let found = json!({"extra_repositories": [{"url": "http://a", "suite": "a", "components": ["main"]}]});
        assert_eq!(resolved(&asked, &found), found);
        assert_eq!(resolved(&json!({}), &found), json!({}));
        let none = json!({"extra_repositories": null});
        assert_eq!(resolved(&asked, &none), asked);
    }
}
