//! Configure and execute, in process.

use crate::Noop;
use taskbay_plugin_api::{Abort, Context, Task};

#[test]
fn succeeds_or_fails_as_told() {
    let context = Context::new("/", Abort::new());
    for (data, expected) in [
        ("{}", true),
        (r#"{"result": true}"#, true),
        (r#"{"result": false}"#, false),
    ] {
        let task: Noop = serde_json::from_str(data).unwrap();
        assert_eq!(task.execute(&context).unwrap(), expected, "{data}");
    }
}

#[test]
fn refuses_unknown_keys() {
    assert!(serde_json::from_str::<Noop>(r#"{"resutl": true}"#).is_err());
}
