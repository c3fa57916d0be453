//! Calls of a server's API.

use crate::{answer::Answer, fault::Fault, server_url::ServerUrl, tls, token::Token};
use serde::Serialize;
use std::{io, io::Read, time::Duration};
use ureq::{
    Agent, Body, SendBody, Timeout,
    http::{Method, Request, Response, header},
};

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: u64 = 4 << 20;
const CONNECTING: Duration = Duration::from_secs(10);
/// How long an answer may take to begin, and a short one to come.
const ANSWERING: Duration = Duration::from_mins(1);
/// How fast a file comes or goes at least, in bytes per second, before it counts as stuck.
const SLOWEST: u64 = 8 << 10;
const AGENT: &str = concat!("taskbay/", env!("CARGO_PKG_VERSION"));

/// Calls of a server's API.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    url: ServerUrl,
}

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) token: Option<Token>,
    /// The scope of what is spoken of, where the server has several.
    pub(crate) scope: Option<String>,
}

impl Client {
    pub(crate) fn new(url: ServerUrl) -> Self {
        let agent = Agent::config_builder()
            .tls_config(tls::of_http())
            .user_agent(AGENT)
            .http_status_as_error(false)
            .max_redirects(0)
            // The websocket does not go through one either.
            .proxy(None)
            .timeout_connect(Some(CONNECTING))
            .timeout_recv_response(Some(ANSWERING))
            .timeout_send_body(Some(ANSWERING))
            .timeout_recv_body(Some(ANSWERING))
            // A large file may take hours, but a peer that is gone is not waited for so long.
            .timeout_per_read(Some(ANSWERING))
            .timeout_per_write(Some(ANSWERING))
            .build();
        Self {
            agent: agent.into(),
            url,
        }
    }

    pub(crate) fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// Calls without a document.
    pub(crate) fn call(&self, method: Method, path: &str, login: &Login) -> Result<Answer, Fault> {
        let what = format!("{method} {path}");
        let request = login.on(Request::builder().method(method).uri(self.url.of(path)));
        let request = request
            .body(())
            .map_err(|error| unsendable(&what, &error))?;
        self.short(what, self.agent.run(request))
    }

    /// Calls with a JSON document.
    pub(crate) fn send(
        &self,
        method: Method,
        path: &str,
        login: &Login,
        document: &impl Serialize,
    ) -> Result<Answer, Fault> {
        let what = format!("{method} {path}");
        let text = serde_json::to_vec(document)
            .map_err(|error| Fault::malformed(&*what, error.to_string()))?;
        let request = login
            .on(Request::builder().method(method).uri(self.url.of(path)))
            .header(header::CONTENT_TYPE, "application/json")
            .body(text)
            .map_err(|error| unsendable(&what, &error))?;
        self.short(what, self.agent.run(request))
    }

    /// Sends a part of a file: `range` is its `Content-Range`, and `content` has that many bytes.
    pub(crate) fn send_part(
        &self,
        path: &str,
        login: &Login,
        range: &str,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<Answer, Fault> {
        let what = format!("PUT {path}");
        let request = login
            .on(Request::put(self.url.of(path)))
            .header(header::CONTENT_RANGE, range)
            .header(header::CONTENT_LENGTH, size)
            .body(SendBody::from_reader(content))
            .map_err(|error| unsendable(&what, &error))?;
        let request = self
            .agent
            .configure_request(request)
            .timeout_send_body(Some(patience(size)))
            .build();
        self.short(what, self.agent.run(request))
    }

    /// Fetches a file of about that size from the address that the server gave, from `offset` on. The answer's content is read
    /// by the caller.
    pub(crate) fn fetch(
        &self,
        url: &str,
        login: &Login,
        offset: u64,
        size: u64,
    ) -> Result<Response<Body>, Fault> {
        let address = self.url.on_this_server(url).ok_or_else(|| {
            Fault::malformed("GET of a file", format!("`{url}` is on another server"))
        })?;
        let what = format!("GET {url}");
        let mut request = login.on(Request::get(address));
        if offset > 0 {
            request = request.header(header::RANGE, format!("bytes={offset}-"));
        }
        let request = request
            .body(())
            .map_err(|error| unsendable(&what, &error))?;
        let request = self
            .agent
            .configure_request(request)
            .timeout_recv_body(Some(patience(size)))
            .build();
        let answered = self.agent.run(request);
        let response = answered.map_err(|error| self.transport(&what, error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        // It says why.
        let answer = self.short(what, Ok(response))?;
        Err(answer.refused(self.url.to_string()))
    }

    /// Reads a short answer whole.
    fn short(
        &self,
        what: String,
        answered: Result<Response<Body>, ureq::Error>,
    ) -> Result<Answer, Fault> {
        let mut response = answered.map_err(|error| self.transport(&what, error))?;
        let body = response
            .body_mut()
            .with_config()
            .limit(LONGEST_ANSWER)
            .read_to_vec()
            .map_err(|error| self.transport(&what, error))?;
        let (parts, _) = response.into_parts();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
            what,
        })
    }

    /// What went wrong on the way.
    pub(crate) fn transport(&self, what: &str, error: ureq::Error) -> Fault {
        match error {
            ureq::Error::BodyExceedsLimit(limit) => {
                Fault::malformed(what, format!("it has more than {limit} bytes"))
            }
            error => Fault::Unavailable {
                place: self.url.to_string(),
                source: match error {
                    ureq::Error::Io(error) => error,
                    error => io::Error::new(kind(&error), error.to_string()),
                },
            },
        }
    }
}

impl Login {
    /// Somebody whom the server does not know.
    pub(crate) fn nobody() -> Self {
        Self {
            token: None,
            scope: None,
        }
    }

    pub(crate) fn of(token: &Token) -> Self {
        Self {
            token: Some(token.clone()),
            scope: None,
        }
    }

    fn on(&self, mut request: ureq::http::request::Builder) -> ureq::http::request::Builder {
        if let Some(token) = &self.token {
            request = request.header("Token", token.as_str());
        }
        if let Some(scope) = &self.scope {
            request = request.header("X-Debusine-Scope", scope);
        }
        request
    }
}

/// What kind of a fault of the line that is: whether the server was reached at all.
fn kind(error: &ureq::Error) -> io::ErrorKind {
    match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            io::ErrorKind::HostUnreachable
        }
        _ => io::ErrorKind::Other,
    }
}

/// How long so many bytes may take.
fn patience(size: u64) -> Duration {
    ANSWERING + Duration::from_secs(size / SLOWEST)
}

fn unsendable(what: &str, error: &ureq::http::Error) -> Fault {
    Fault::malformed(what, format!("it cannot be asked: {error}"))
}

#[cfg(test)]
mod tests;
