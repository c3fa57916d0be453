//! Lookups, which a server answers.

use crate::{
    client::{Client, Login},
    fault::Fault,
};
use serde::Deserialize;
use serde_json::json;
use taskbay_core::{ArtifactId, Lookup};
use taskbay_debian::EnvironmentLookup;
use taskbay_engine::limits::LONGEST_NAME;
use ureq::http::Method;

/// The kind of collection that environments are looked up in where a lookup names none.
const ENVIRONMENTS: &str = "debian:environments";

#[derive(Deserialize)]
struct Found {
    artifact: Option<ArtifactId>,
}

/// The artifact that a work request's task names.
///
/// # Errors
///
/// When it is a file of this machine, or the server finds none.
pub(crate) fn artifact(
    client: &Client,
    login: &Login,
    request: i64,
    lookup: &Lookup,
) -> Result<ArtifactId, Fault> {
    let text = match lookup {
        Lookup::Id(id) => return Ok(*id),
        Lookup::Text(text) => text,
    };
    let what = || format!("`{}`", taskbay_core::shorten(text, 200));
    if lookup.local_path().is_some() {
        let reason =
            "it is a file of this machine: import it into the server, and name the artifact";
        return Err(Fault::malformed(what(), reason));
    }
    if text.len() > LONGEST_NAME {
        return Err(Fault::malformed(
            what(),
            format!("it has more than {LONGEST_NAME} bytes"),
        ));
    }
    let category = EnvironmentLookup::parse(lookup).map(|_| ENVIRONMENTS);
    let question = json!({
        "lookup": text,
        "work_request": request,
        "expect_type": "artifact",
        "default_category": category,
    });
    let found: Found = client
        .send(Method::POST, "/1.0/lookup/single/", login, &question)?
        .expect(&[200], client.url())?
        .json()?;
    let none = || Fault::malformed(what(), "the server found something that is no artifact");
    found.artifact.ok_or_else(none)
}
