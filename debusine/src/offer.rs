//! What a worker offers, as a server is told.

use crate::dialect::Dialect;
use serde_json::{Map, Value, json};
use taskbay_core::Metadata;

/// What a worker offers, as a server is told: all metadata by their keys, or, where the server matches tags, what it knows of
/// the machine, and a tag for each architecture, executor and task, and for each task that has all that it needs.
pub(crate) fn offer(dialect: Dialect, metadata: &Metadata) -> Value {
    match dialect {
        Dialect::Plain => json!(metadata),
        Dialect::Scoped => tagged(metadata),
    }
}

fn tagged(metadata: &Metadata) -> Value {
    let mut told = Map::new();
    let mut tags = vec!["worker:type:external".to_owned()];
    for (key, value) in metadata.iter() {
        match (key, value) {
            ("system:host_architecture", value) => {
                told.insert("system:native_architecture".to_owned(), value.clone());
            }
            ("system:architectures", Value::Array(all)) => {
                let all = all.iter().filter_map(Value::as_str);
                tags.extend(all.map(|each| format!("worker:build-arch:{each}")));
                told.insert(key.to_owned(), value.clone());
            }
            ("system:cpu_count" | "system:total_physical_memory" | "system:worker_type", value) => {
                told.insert(key.to_owned(), value.clone());
            }
            (key, Value::Number(version)) => {
                if let Some(task) = key.strip_suffix(":version") {
                    tags.push(format!("worker:task:worker:{task}:version:{version}"));
                }
            }
            (key, Value::Bool(true)) => tags.extend(availability(key)),
            _ => {}
        }
    }
    tags.sort();
    let version = concat!("taskbay-", env!("CARGO_PKG_VERSION"));
    told.insert("system:worker_version".to_owned(), json!(version));
    told.insert("provided_tags".to_owned(), json!(tags));
    Value::Object(told)
}

/// The tag of something that is available: an executor, or what a task needs.
fn availability(key: &str) -> Option<String> {
    let what = key.strip_suffix(":available")?;
    Some(match what.strip_prefix("executor:") {
        Some(executor) => format!("worker:executor:{executor}"),
        None => format!("worker:cap:{what}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_stand_for_tasks_and_architectures() {
        let metadata = Metadata::parse(
            r#"{"system:cpu_count": 2, "system:worker_type": "external", "system:host_architecture": "amd64",
            "system:architectures": ["amd64", "i386"], "executor:unshare:available": true, "executor:qemu:available": false,
            "noop:version": 1,
            "sbuild:version": 1, "sbuild:available": true}"#,
        )
        .unwrap();
        assert_eq!(offer(Dialect::Plain, &metadata), json!(metadata));
        let expected = json!({
            "system:cpu_count": 2,
            "system:worker_type": "external",
            "system:native_architecture": "amd64",
            "system:architectures": ["amd64", "i386"],
            "system:worker_version": concat!("taskbay-", env!("CARGO_PKG_VERSION")),
            "provided_tags": [
                "worker:build-arch:amd64", "worker:build-arch:i386", "worker:cap:sbuild", "worker:executor:unshare",
                "worker:task:worker:noop:version:1",
                "worker:task:worker:sbuild:version:1", "worker:type:external",
            ],
        });
        assert_eq!(offer(Dialect::Scoped, &metadata), expected);
    }
}
