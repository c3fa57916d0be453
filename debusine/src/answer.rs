//! What a server answers.

use crate::{fault::Fault, server_url::ServerUrl};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io;
use ureq::http::HeaderMap;

/// How much of a problem is told, in characters.
const LONGEST_PROBLEM: usize = 2000;

/// What a server answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// To what.
    pub(crate) what: String,
}

impl Answer {
    /// The answer, if it is one of those that were expected.
    pub(crate) fn expect(self, statuses: &[u16], url: &ServerUrl) -> Result<Self, Fault> {
        if statuses.contains(&self.status) {
            return Ok(self);
        }
        Err(self.refused(url.to_string()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Fault::malformed(&*self.what, error.to_string()))
    }

    /// Why it is not what was asked for.
    pub(crate) fn refused(self, place: String) -> Fault {
        let problem = self.problem();
        match self.status {
            429 | 502..=504 => Fault::Unavailable {
                place,
                source: io::Error::new(
                    match self.status {
                        // Nothing was done.
                        429 | 503 => io::ErrorKind::ResourceBusy,
                        _ => io::ErrorKind::Other,
                    },
                    format!("{} to {}: {problem}", self.status, self.what),
                ),
            },
            _ if self.is_failure() => Fault::Failing {
                place,
                what: self.what,
                problem,
            },
            status => Fault::Refused {
                what: self.what,
                status,
                problem,
            },
        }
    }

    /// Whether something went wrong in the server. Where that is within what was asked, it answers as if the question were wrong,
    /// and says nothing about it.
    fn is_failure(&self) -> bool {
        let is_unexplained = || {
            let said = serde_json::from_slice::<Value>(&self.body).unwrap_or_default();
            said["title"] == "Error"
                && said["detail"].is_null()
                && said["validation_errors"].is_null()
        };
        self.status == 500 || self.status == 400 && is_unexplained()
    }

    /// What it says that is wrong: of a problem document what is for people, of others nothing but their kind.
    fn problem(&self) -> String {
        let kind = self.header("content-type").unwrap_or("nothing");
        let Ok(Value::Object(document)) = serde_json::from_slice(&self.body) else {
            return match kind {
                "nothing" => "it says nothing more".to_owned(),
                kind => format!("it says no more that can be read here ({kind})"),
            };
        };
        let said = ["title", "detail", "validation_errors"].into_iter();
        let said = said.filter_map(|key| match document.get(key)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        });
        let said = said.collect::<Vec<_>>().join("; ");
        taskbay_core::shorten(&said, LONGEST_PROBLEM).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_within_a_question_is_no_refusal() {
        let url = ServerUrl::parse("http://localhost/api", false).unwrap();
        let is_passing = |status, body: &str| {
            let answer = Answer {
                status,
                headers: HeaderMap::new(),
                body: body.into(),
                what: "GET /x/".to_owned(),
            };
            answer.expect(&[200], &url).unwrap_err().is_passing()
        };
        // As a server says it whose database refused what it had to keep.
        assert!(is_passing(400, r#"{"title": "Error"}"#));
        assert!(is_passing(500, ""));
        assert!(!is_passing(
            400,
            r#"{"title": "Error", "detail": "Not a valid x."}"#
        ));
        assert!(!is_passing(
            400,
            r#"{"title": "Cannot deserialize worker"}"#
        ));
        assert!(!is_passing(403, r#"{"title": "Error"}"#));
    }
}
