//! Which of its protocols a server speaks.

use crate::{
    client::{Client, Login},
    fault::Fault,
};
use ureq::http::Method;

/// What a worker asks for work.
pub(crate) const NEXT: &str = "/1.0/work-request/get-next-for-worker/";

/// Which of its protocols a server speaks. No server says its version, so it is found by what can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// As Debusine 0.11.3: work is fetched by GET, and the worker's token serves for all.
    Plain,
    /// As Debusine 0.16.2: work is fetched by POST, and each work request has a token and a scope of its own.
    Scoped,
}

impl Dialect {
    /// Finds out what the server speaks. It changes nothing there, and needs no token.
    ///
    /// # Errors
    ///
    /// When it cannot be reached, or is no such server.
    pub(crate) fn find(client: &Client) -> Result<Self, Fault> {
        let answer = client.call(Method::OPTIONS, NEXT, &Login::nobody())?;
        let place = client.url().to_string();
        let foreign = |reason: String| Fault::Foreign {
            place: place.clone(),
            reason,
        };
        let Some(allowed) = answer.header("allow") else {
            let status = answer.status;
            if matches!(status, 429 | 500 | 502..=504) {
                answer.expect(&[], client.url())?;
            }
            return Err(foreign(format!(
                "it has no `{NEXT}` (the answer is {status})"
            )));
        };
        Self::of(allowed).ok_or_else(|| {
            foreign(format!(
                "`{NEXT}` can be asked by `{}`, and neither 0.11.3 nor 0.16.2 does that",
                taskbay_core::escape(allowed)
            ))
        })
    }

    fn of(allowed: &str) -> Option<Self> {
        let allows = |method: &str| allowed.split(',').any(|each| each.trim() == method);
        match (allows("GET"), allows("POST")) {
            (true, false) => Some(Self::Plain),
            (false, true) => Some(Self::Scoped),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the servers answer.
    #[test]
    fn a_server_is_known_by_how_it_is_asked_for_work() {
        assert_eq!(Dialect::of("GET, HEAD, OPTIONS"), Some(Dialect::Plain));
        assert_eq!(Dialect::of("POST, OPTIONS"), Some(Dialect::Scoped));
        for other in ["", "GET, POST", "OPTIONS", "PUT"] {
            assert_eq!(Dialect::of(other), None, "{other}");
        }
    }
}
