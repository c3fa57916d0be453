//! What the scheduler of a server was told of a request, where it asks plugins.

use crate::{
    ServerUrl,
    client::{Client, Login},
    token::Token,
};
use serde_json::Value;
use taskbay_engine::{EngineError, RequestId};
use ureq::http::Method;

/// The environment variable with the token of a user of the server.
pub const TOKEN_VARIABLE: &str = "TASKBAY_DEBUSINE_TOKEN";

/// Who could execute a request, who could not, and why not, as `taskbay-debusine` on that server says it: the document of
/// `taskbay explain`, and under `recorded` what the scheduler was told, and when. `token` is that of a user who may see the
/// request; where everybody may, there need be none.
///
/// # Errors
///
/// When the server cannot be reached or has no such app; when there is no such request, it is not the user's to see, or
/// Debusine itself decides about its task.
pub fn explain(url: &ServerUrl, token: Option<&str>, id: RequestId) -> Result<Value, EngineError> {
    let token = token.map(|text| {
        Token::parse(text).ok_or_else(|| EngineError::Invalid {
            what: "token of a Debusine server",
            reason: format!("{TOKEN_VARIABLE} is none"),
        })
    });
    let login = Login {
        token: token.transpose()?,
        scope: None,
    };
    let client = Client::new(url.clone());
    let path = format!("/taskbay/1.0/explain/{id}/");
    let answer = client.call(Method::GET, &path, &login)?;
    if answer.status != 404 {
        return Ok(answer.expect(&[200], url)?.json()?);
    }
    // The app says so itself; a server without it has a page for whoever looks at it.
    let is_the_apps = answer.json::<Value>().is_ok();
    Err(if is_the_apps {
        EngineError::NotFound {
            what: "request",
            name: id.to_string(),
        }
    } else {
        let reason = "the server gives no reasons: its scheduler does not ask plugins, which takes the package \
                      taskbay-debusine there";
        EngineError::Refused {
            reason: reason.to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_in::{Asked, Says, StandIn};

    fn explained(says: Says, token: Option<&str>) -> Result<Value, EngineError> {
        let token_is = token.map(ToOwned::to_owned);
        let server = StandIn::new(move |asked: &Asked| {
            assert_eq!(asked.token, token_is);
            says.clone()
        });
        explain(server.client.url(), token, 7)
    }

    #[test]
    fn what_is_not_there_is_told_apart() {
        let problem = |status, body| {
            Says::status(status)
                .header("Content-Type", "application/problem+json")
                .body(body)
        };
        let found = explained(Says::status(200).body(r#"{"id": 7}"#), Some("ab12")).unwrap();
        assert_eq!(found["id"], 7);
        let missing = explained(
            problem(404, r#"{"title": "Work request 7 not found"}"#),
            None,
        );
        assert!(
            matches!(
                missing,
                Err(EngineError::NotFound {
                    what: "request",
                    ..
                })
            ),
            "{missing:?}"
        );
        let page = Says::status(404)
            .header("Content-Type", "text/html")
            .body("<html>");
        let told = explained(page, None).unwrap_err().to_string();
        assert!(told.contains("taskbay-debusine"), "{told}");
        let own = problem(
            409,
            r#"{"title": "Work request 7 is no plugin's", "detail": "Debusine decides."}"#,
        );
        let told = explained(own, None).unwrap_err().to_string();
        assert!(told.contains("is no plugin's"), "{told}");
        let server = StandIn::new(|_: &Asked| Says::status(200));
        let error = explain(server.client.url(), Some("a b"), 7).unwrap_err();
        assert!(!error.to_string().contains("a b"), "{error}");
        assert!(server.lines().is_empty());
    }
}
