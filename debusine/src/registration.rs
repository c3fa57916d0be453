//! How a server comes to know a worker.

use crate::{
    client::{Client, Login},
    fault::Fault,
    standing,
    token::Token,
    workplace::Workplace,
};
use serde_json::json;
use std::{fs, path::Path, thread, time::Duration};
use taskbay_core::with_sources;
use taskbay_engine::EngineError;
use ureq::http::Method;

/// The longest name of a worker on a server. A longer one it fails at.
const LONGEST: usize = 50;
/// What it puts behind a name that is taken, such as `-12`.
const BEHIND: usize = 4;
/// How long a server has to be done with what it was asked before it is asked again.
const PAUSE: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 5 });
/// How often a server has to fail, while it answers what else it is asked, before it counts as knowing the token.
const MOST_FAILURES: u32 = 6;

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
    let registration = Registration {
        client,
        activation: activation.as_ref(),
        name,
    };
    // Under its name only once the server knows it. What was asked for and not answered is asked for again.
    let new = path.with_extension("new");
    let asked = match Token::read(&new) {
        // It was not written to its end, and so never sent.
        Err(EngineError::Invalid { .. }) => None,
        read => read?,
    };
    let token = if let Some(token) = asked {
        registration.settle(&token, &path)?;
        token
    } else {
        Workplace::make_folder_of(&path)?;
        registration.begin(&new, &path)?
    };
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

/// A worker that the server is told of.
struct Registration<'r> {
    client: &'r Client,
    activation: Option<&'r Token>,
    name: &'r str,
}

impl Registration<'_> {
    /// Registers a new token, which is kept in the file `new` until the server has answered.
    fn begin(&self, new: &Path, path: &Path) -> Result<Token, Fault> {
        let token = Token::random().map_err(|error| Fault::local("/dev/urandom", error))?;
        token.write(new).map_err(|error| Fault::local(new, error))?;
        let name: String = self.name.chars().take(LONGEST - BEHIND).collect();
        match self.register(&token, &name) {
            Ok(()) => {}
            Err(fault) if fault.may_be_done() => {
                log::warn!(
                    "the answer to registering was lost, so the server is asked again: {}",
                    with_sources(&fault)
                );
                thread::sleep(PAUSE);
                self.settle(&token, path)?;
            }
            Err(fault) => {
                // The server does not know it, and need not know this one the next time.
                let _ = fs::remove_file(new);
                return Err(fault);
            }
        }
        Ok(token)
    }

    /// Registers a token that the server may know already: it does not say, and 0.11.3 never ends where it is told of one twice
    /// under a name to which it can still add a number. Where it can add none, it fails: always, unlike one that fails for
    /// reasons of its own.
    fn settle(&self, token: &Token, path: &Path) -> Result<(), Fault> {
        let mut failures = 0;
        loop {
            // An administrator may have enabled it meanwhile. A server that cannot say so is not well.
            if standing::is_taken(self.client, token)? {
                return Ok(());
            }
            let fault = match self.register(token, &filled(self.name, token)) {
                Err(fault @ Fault::Failing { .. }) => fault,
                registered => return registered,
            };
            failures += 1;
            if failures == MOST_FAILURES {
                log::warn!(
                    "the server fails again and again, as it does where it knows the token already: {fault}; should an \
                     administrator not find the token there, remove {} and start this worker again",
                    path.display()
                );
                return Ok(());
            }
            log::info!("the server is asked again whether it knows the token: {fault}");
            thread::sleep(PAUSE);
        }
    }

    fn register(&self, token: &Token, name: &str) -> Result<(), Fault> {
        let document = json!({"token": token.as_str(), "fqdn": name, "worker_type": "external"});
        let login = self.activation.map_or_else(Login::nobody, Login::of);
        self.client
            .send(Method::POST, "/1.0/worker/register/", &login, &document)?
            .expect(&[201], self.client.url())?;
        Ok(())
    }
}

/// A name as long as a name can be, which is nobody else's, and which the server takes as it is.
fn filled(name: &str, token: &Token) -> String {
    let mut filled = String::new();
    for c in name.chars().take(LONGEST / 2) {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_alphanumeric() {
            filled.push(c);
        } else if !filled.is_empty() && !filled.ends_with('-') {
            filled.push('-');
        }
    }
    if !filled.is_empty() && !filled.ends_with('-') {
        filled.push('-');
    }
    let left = LONGEST - filled.len();
    filled + &token.hash()[..left]
}

#[cfg(test)]
mod tests;
