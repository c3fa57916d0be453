//! How a server comes to know a worker.

use crate::{
    client::{Client, Login},
    fault::Fault,
    token::Token,
    workplace::Workplace,
};
use serde_json::json;
use std::fs;
use taskbay_engine::EngineError;
use ureq::http::Method;

/// The longest name that a server takes.
const LONGEST: usize = 400;

/// The token of the seat of that number. Where there is none yet, the server is told of a new worker with a new one: it is
/// enabled at once where an activation token lies beside, else by an administrator.
///
/// # Errors
///
/// When the server refuses it, or the token cannot be kept.
pub(crate) fn token(
    client: &Client,
    workplace: &Workplace,
    name: &str,
    number: usize,
) -> Result<Token, EngineError> {
    let path = workplace.token_file(number);
    if let Some(token) = Token::read(&path)? {
        return Ok(token);
    }
    let activation = Token::read(&workplace.activation_file(number))?;
    let token = Token::random().map_err(|error| Fault::local("/dev/urandom", error))?;
    // Under its name only once the server knows it.
    let new = path.with_extension("new");
    Workplace::make_folder_of(&path)?;
    token
        .write(&new)
        .map_err(|error| Fault::local(&new, error))?;
    register(client, &token, activation.as_ref(), name)?;
    fs::rename(&new, &path).map_err(|error| Fault::local(&path, error))?;
    match activation {
        Some(_) => log::info!("seat {number} is registered with an activation token"),
        None => log::warn!(
            "seat {number} is registered, and gets no work before an administrator of the server enables its token, which has \
             the hash {}",
            token.hash()
        ),
    }
    Ok(token)
}

fn register(
    client: &Client,
    token: &Token,
    activation: Option<&Token>,
    name: &str,
) -> Result<(), Fault> {
    let name: String = name.chars().take(LONGEST).collect();
    let document = json!({"token": token.as_str(), "fqdn": name, "worker_type": "external"});
    let login = activation.map_or_else(Login::nobody, Login::of);
    client
        .send(Method::POST, "/1.0/worker/register/", &login, &document)?
        .expect(&[201], client.url())?;
    Ok(())
}
