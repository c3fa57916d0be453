//! Task data that differs in a little from what a test has.

use serde_json::Value;

/// That object with these keys, in the place of its own where it has them.
#[must_use]
pub fn with_keys(mut data: Value, keys: &Value) -> Value {
    let keys = keys.as_object().unwrap().clone();
    data.as_object_mut().unwrap().extend(keys);
    data
}

/// That document with a value at that JSON pointer, whose last part may be a new key.
#[must_use]
pub fn with_value(mut data: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match data.pointer_mut(parent).unwrap() {
        Value::Array(all) => all[key.parse::<usize>().unwrap()] = value,
        object => object[key] = value,
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_rest_stays() {
        let data = || json!({"a": 1, "b": {"c": [2, 3]}});
        let keys = json!({"a": 4, "d": 5});
        let wanted = json!({"a": 4, "b": {"c": [2, 3]}, "d": 5});
        assert_eq!(with_keys(data(), &keys), wanted);
        let wanted = json!({"a": 1, "b": {"c": [2, 6]}});
        assert_eq!(with_value(data(), "/b/c/1", json!(6)), wanted);
        let wanted = json!({"a": 1, "b": {"c": [2, 3], "d": 6}});
        assert_eq!(with_value(data(), "/b/d", json!(6)), wanted);
    }
}
