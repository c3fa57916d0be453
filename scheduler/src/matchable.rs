//! What decides who may run a request, and nothing else of it.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::{self, Write};
use taskbay_core::{Conditions, Configured, TaskName};

/// What a request of a task is configured with: the plugin, and what it says of the data.
#[derive(Clone, Debug)]
pub struct Request {
    /// The task's name.
    pub task: TaskName,
    /// The task's version.
    pub version: u32,
    /// The hash of the plugin's file: another file may decide otherwise.
    pub file: String,
    /// What the plugin says of the task data.
    pub configured: Configured,
}

/// Names what decides who may run a request. Requests with the same signature have the same verdicts.
///
/// It is made of the task, the hash of its file and its requirements; where the task decides with code of its own, also
/// of the data, or of the key that stands for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(String);

/// A configured request as far as it decides who may run it.
#[derive(Clone, Debug)]
pub struct Matchable {
    signature: Signature,
    conditions: Conditions,
    data: String,
    has_own_code: bool,
}

impl Signature {
    /// A signature as [`as_str`](Self::as_str) gave it.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text: hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(request: &Request) -> Self {
        let configured = &request.configured;
        let decides = configured.own_code.as_ref().map(|code| {
            let key = code.match_key.as_ref();
            key.map_or((false, &configured.data), |key| (true, key))
        });
        // As JSON, so that no part can run into the next.
        let parts = serde_json::json!([
            request.task,
            request.version,
            request.file,
            configured.requirements,
            decides,
        ]);
        let mut text = String::new();
        for byte in Sha256::digest(parts.to_string()) {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Matchable {
    /// What decides, of a configured request.
    pub fn new(request: Request) -> Self {
        let signature = Signature::of(&request);
        let Configured {
            data,
            requirements,
            own_code,
            declared: _,
        } = request.configured;
        // What the data implies is among the requirements.
        let conditions =
            Conditions::new(&request.task, request.version, &Value::Null, requirements);
        Self {
            signature,
            conditions,
            data,
            has_own_code: own_code.is_some(),
        }
    }

    /// What it is named by.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What a worker must fulfil before the task's own code is asked.
    pub fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// The task data as JSON text, of one request of those with this signature.
    pub fn data(&self) -> &str {
        &self.data
    }

    /// Whether the task decides with code of its own, too.
    pub fn has_own_code(&self) -> bool {
        self.has_own_code
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskbay_core::{OwnCode, Requirement};

    fn request() -> Request {
        Request {
            task: TaskName::fold("build").unwrap(),
            version: 1,
            file: "f".to_owned(),
            configured: Configured {
                data: r#"{"x":1}"#.to_owned(),
                requirements: vec![Requirement::present("a")],
                ..Configured::default()
            },
        }
    }

    fn signature(change: impl Fn(&mut Request)) -> Signature {
        let mut request = request();
        change(&mut request);
        Matchable::new(request).signature
    }

    #[test]
    fn a_signature_is_all_that_decides() {
        let plain = signature(|_| {});
        assert_eq!(plain.as_str().len(), 64);
        // Without code of its own, what the data demands is among the requirements.
        let other = signature(|each| each.configured.data = r#"{"x":2}"#.to_owned());
        assert_eq!(plain, other);
        let own = |key: Option<&str>| {
            let match_key = key.map(ToOwned::to_owned);
            signature(|each| {
                let match_key = match_key.clone();
                each.configured.own_code = Some(OwnCode { match_key });
            })
        };
        let others = [
            signature(|each| each.task = TaskName::fold("other").unwrap()),
            signature(|each| each.version = 2),
            signature(|each| each.file = "g".to_owned()),
            signature(|each| each.configured.requirements.clear()),
            own(None),
            own(Some("k")),
            own(Some(r#"{"x":1}"#)),
        ];
        let all: std::collections::HashSet<_> = others.iter().chain([&plain]).collect();
        assert_eq!(all.len(), others.len() + 1);
    }

    #[test]
    fn a_match_key_stands_for_the_data() {
        let keyed = |data: &str, key: Option<&str>| {
            signature(|each| {
                each.configured.data = data.to_owned();
                let match_key = key.map(ToOwned::to_owned);
                each.configured.own_code = Some(OwnCode { match_key });
            })
        };
        assert_eq!(keyed("1", Some("k")), keyed("2", Some("k")));
        assert_ne!(keyed("1", Some("k")), keyed("1", Some("l")));
        assert_ne!(keyed("1", None), keyed("2", None));
    }
}
