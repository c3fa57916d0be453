//! What a server says over a websocket.

use serde::Deserialize;
use taskbay_core::shorten;

/// What a server says over a websocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// It knows this worker.
    Connected,
    /// It wants to know what this worker offers.
    MetadataWanted,
    /// It has work.
    WorkOffered,
    /// It closes the connection, or did not open it: with its reason, and whether that is that the token is not enabled.
    Closed { reason: String, is_disabled: bool },
    /// Anything else.
    Other,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    reason: Option<String>,
    reason_code: Option<String>,
}

impl Notice {
    /// Reads a message. One that is not understood is none that matters.
    pub(crate) fn parse(text: &str) -> Self {
        let Ok(message) = serde_json::from_str::<Message>(text) else {
            return Self::Other;
        };
        match (message.kind.as_str(), message.text.as_deref()) {
            ("websocket.send", Some("connected")) => Self::Connected,
            ("websocket.send", Some("request_dynamic_metadata")) => Self::MetadataWanted,
            ("websocket.send", Some("work_request_available")) => Self::WorkOffered,
            ("connection_rejected" | "connection_closed", _) => {
                let reason = message.reason.unwrap_or_default();
                Self::Closed {
                    reason: shorten(&reason, 500).to_string(),
                    is_disabled: message.reason_code.as_deref() == Some("TOKEN_DISABLED"),
                }
            }
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a server said it.
    #[test]
    fn what_a_server_says_is_understood() {
        let said = |text: &str| {
            Notice::parse(&format!(
                r#"{{"type": "websocket.send", "text": "{text}"}}"#
            ))
        };
        assert_eq!(said("connected"), Notice::Connected);
        assert_eq!(said("request_dynamic_metadata"), Notice::MetadataWanted);
        assert_eq!(said("work_request_available"), Notice::WorkOffered);
        assert_eq!(said("something new"), Notice::Other);
        let reason = "No token header, token not associated to a worker or not enabled";
        let rejected = format!(
            r#"{{"type": "connection_rejected", "reason": "{reason}", "reason_code": "TOKEN_DISABLED"}}"#
        );
        let closed = Notice::Closed {
            reason: reason.to_owned(),
            is_disabled: true,
        };
        assert_eq!(Notice::parse(&rejected), closed);
        for nonsense in ["", "[]", r#"{"type": 1}"#, r#"{"type": "x"}"#] {
            assert_eq!(Notice::parse(nonsense), Notice::Other);
        }
    }
}
