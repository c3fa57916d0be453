//! Whether a server takes a worker's token.

use crate::{
    client::{Client, Login},
    fault::Fault,
    token::Token,
};
use ureq::http::Method;

/// What a worker's token alone may ask for. There is nothing to be had by `GET`, so nothing comes of it.
const ASKED: &str = "/1.0/worker/dynamic-metadata/";

/// Whether the server knows the token, and it is enabled.
///
/// # Errors
///
/// When the server cannot say.
pub(crate) fn is_taken(client: &Client, token: &Token) -> Result<bool, Fault> {
    let answer = client.call(Method::GET, ASKED, &Login::of(token))?;
    match answer.expect(&[405], client.url()) {
        Ok(_) => Ok(true),
        Err(fault) if fault.is_denied() => Ok(false),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_in::{Asked, Says, StandIn};

    #[test]
    fn a_token_is_known_by_what_there_is_not() {
        let is_taken = |status| {
            let server = StandIn::new(move |asked: &Asked| {
                assert_eq!(asked.token.as_deref(), Some("secret"));
                Says::status(status)
            });
            is_taken(&server.client, &Token::parse("secret").unwrap())
        };
        assert!(is_taken(405).unwrap());
        assert!(!is_taken(403).unwrap() && !is_taken(401).unwrap());
        assert!(is_taken(500).unwrap_err().is_passing());
    }
}
