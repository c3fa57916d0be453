//! Lookups, which a server answers.

use crate::{
    client::{Client, Login},
    dialect::Dialect,
    fault::Fault,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use taskbay_core::{ArtifactId, Lookup, Query, shorten};
use taskbay_debian::EnvironmentLookup;
use taskbay_engine::limits::{LONGEST_DOCUMENT, LONGEST_NAME};
use ureq::http::Method;

/// The kind of collection that environments are looked up in where a lookup names none.
const ENVIRONMENTS: &str = "debian:environments";
/// How much of a lookup a message quotes.
const LONGEST_QUOTE: usize = 200;
/// The most artifacts that one query may find.
const MOST_FOUND: usize = 10_000;

#[derive(Clone, Copy, Deserialize)]
struct Found {
    artifact: Option<ArtifactId>,
}

/// Asks for what a work request's task names.
pub(crate) struct Lookups<'a> {
    pub(crate) client: &'a Client,
    pub(crate) login: &'a Login,
    pub(crate) dialect: Dialect,
    /// The work request's number.
    pub(crate) request: i64,
}

impl Lookups<'_> {
    /// The artifact that the task names.
    ///
    /// # Errors
    ///
    /// When it is a file of this machine, or the server finds none.
    pub(crate) fn artifact(&self, lookup: &Lookup) -> Result<ArtifactId, Fault> {
        let text = match lookup {
            Lookup::Id(id) => return Ok(*id),
            Lookup::Text(text) => text,
        };
        let what = quote(text);
        if lookup.local_path().is_some() {
            let reason =
                "it is a file of this machine: import it into the server, and name the artifact";
            return Err(Fault::malformed(what, reason));
        }
        is_at_most(LONGEST_NAME, text)?;
        let category = EnvironmentLookup::parse(lookup).map(|_| ENVIRONMENTS);
        let asked = json!({"lookup": text, "default_category": category});
        let found: Found = self.ask("single", &what, asked)?;
        number(found, &what)
    }

    /// The artifacts that the task's query finds, in the server's order.
    ///
    /// # Errors
    ///
    /// When the server knows no such collection, or finds what is no artifact, or too many.
    pub(crate) fn artifacts(&self, query: &Query) -> Result<Vec<ArtifactId>, Fault> {
        let text = query.to_string();
        let what = quote(&text);
        is_at_most(LONGEST_DOCUMENT, &text)?;
        let found: Vec<Found> = self.ask("multiple", &what, json!({"lookup": [query]}))?;
        if found.len() > MOST_FOUND {
            let reason = format!(
                "it finds {} artifacts, and at most {MOST_FOUND} are taken; ask for less",
                found.len()
            );
            return Err(Fault::malformed(what, reason));
        }
        let ids = found.into_iter().map(|found| number(found, &what));
        ids.collect()
    }

    fn ask<T: DeserializeOwned>(
        &self,
        kind: &str,
        what: &str,
        mut asked: Value,
    ) -> Result<T, Fault> {
        // There a token must be a person's, and a worker has none.
        if self.dialect == Dialect::Scoped {
            let reason = "a server of this version answers lookups to people alone, and put nothing in the place of this one; \
                          name the artifact by its number";
            return Err(Fault::malformed(what, reason));
        }
        asked["work_request"] = self.request.into();
        asked["expect_type"] = "artifact".into();
        let path = format!("/1.0/lookup/{kind}/");
        self.client
            .send(Method::POST, &path, self.login, &asked)?
            .expect(&[200], self.client.url())?
            .json()
    }
}

fn number(found: Found, what: &str) -> Result<ArtifactId, Fault> {
    let none = || Fault::malformed(what, "the server found something that is no artifact");
    found.artifact.ok_or_else(none)
}

fn quote(text: &str) -> String {
    format!("`{}`", shorten(text, LONGEST_QUOTE))
}

fn is_at_most(longest: usize, text: &str) -> Result<(), Fault> {
    if text.len() <= longest {
        return Ok(());
    }
    let reason = format!("it has more than {longest} bytes");
    Err(Fault::malformed(quote(text), reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_in::{Asked, Says, StandIn};

    /// What that server finds, and what it was asked.
    fn found(
        dialect: Dialect,
        answer: &str,
        query: Value,
    ) -> (Result<Vec<ArtifactId>, Fault>, Vec<Asked>) {
        let answer = answer.to_owned();
        let server = StandIn::new(move |_| Says::status(200).body(answer.clone()));
        let lookups = Lookups {
            client: &server.client,
            login: &StandIn::login(),
            dialect,
            request: 7,
        };
        let found = lookups.artifacts(&serde_json::from_value(query).unwrap());
        (found, server.asked.lock().unwrap().clone())
    }

    fn is_refused_for(found: &Result<Vec<ArtifactId>, Fault>, reason: &str) {
        let message = found.as_ref().unwrap_err().to_string();
        assert!(message.contains(reason), "{message}");
    }

    #[test]
    fn a_query_finds_any_number() {
        let answer = r#"[{"result_type": "a", "collection_item": 1, "artifact": 31, "collection": null},
            {"result_type": "a", "collection_item": 2, "artifact": 32, "collection": null}]"#;
        let query = json!({"collection": "trixie@debian:suite", "name__startswith": "hello_"});
        let (ids, asked) = found(Dialect::Plain, answer, query.clone());
        assert_eq!(ids.unwrap(), [31, 32]);
        assert_eq!(asked[0].line, "POST /api/1.0/lookup/multiple/");
        let body: Value = serde_json::from_slice(&asked[0].body).unwrap();
        assert_eq!(
            body,
            json!({"lookup": [query], "work_request": 7, "expect_type": "artifact"})
        );
        let (none, _) = found(Dialect::Plain, "[]", json!({"collection": 3}));
        assert!(none.unwrap().is_empty());
    }

    #[test]
    fn what_is_too_much_or_no_artifact_is_refused() {
        let query = || json!({"collection": 3});
        let item = r#"{"artifact": 1}"#;
        let many = format!("[{item}{}]", format!(",{item}").repeat(MOST_FOUND));
        is_refused_for(&found(Dialect::Plain, &many, query()).0, "at most 10000");
        let bare = r#"[{"artifact": null}]"#;
        is_refused_for(&found(Dialect::Plain, bare, query()).0, "no artifact");
        let long = json!({"collection": 3, "name": "x".repeat(LONGEST_DOCUMENT)});
        let (refused, asked) = found(Dialect::Plain, "[]", long);
        is_refused_for(&refused, "more than 1048576 bytes");
        assert!(asked.is_empty());
    }

    #[test]
    fn a_server_that_answers_people_alone_is_not_asked() {
        let (refused, asked) = found(Dialect::Scoped, "[]", json!({"collection": 3}));
        is_refused_for(&refused, "name the artifact by its number");
        assert!(asked.is_empty());
    }
}
