//! A request whose result was told last: a later server says that it has it before it takes it in.

use crate::{delivery, fault::Fault, record::Record, seat::Seat, shared::Shared};
use serde::Deserialize;
use std::time::{Duration, Instant};
use ureq::http::Method;

/// How long a server may take to take a result in; after that it has lost it.
const LONGEST: Duration = Duration::from_mins(10);

/// A request whose result was told last. Until the server has taken that in, it takes the request for one that still runs,
/// and, asked for work, for one that was lost: then it is done anew.
#[derive(Debug)]
pub(crate) struct Told {
    record: Record,
    /// When this process was given it, if it was this one.
    given: Option<Instant>,
    when: Instant,
    is_settled: bool,
}

#[derive(Deserialize)]
struct Seen {
    status: String,
}

impl Told {
    /// One that was given then, if to this process, and was told now.
    pub(crate) fn now(record: Record, given: Option<Instant>) -> Self {
        Self {
            record,
            given,
            when: Instant::now(),
            is_settled: false,
        }
    }

    /// The server offers something over a connection that was opened then. It offers nothing new to a worker that it takes
    /// to be at work; only with a new connection it reminds of what it is at.
    pub(crate) fn is_offered(&mut self, opened: Instant) {
        self.is_settled |= self.given.is_some_and(|given| opened < given);
    }
}

/// Whether the server has taken in the result that it was told last, so that it can be asked for work.
///
/// # Errors
///
/// When it cannot be asked.
pub(crate) fn is_settled(shared: &Shared, seat: &Seat) -> Result<bool, Fault> {
    let record = match &mut seat.state().told {
        Some(told) if told.is_settled => return Ok(true),
        Some(told) if told.when.elapsed() >= LONGEST => {
            log::warn!(
                "the server does not take in the result of work request {}, which it has",
                told.record.request
            );
            told.is_settled = true;
            return Ok(true);
        }
        Some(told) => told.record.clone(),
        None => return Ok(true),
    };
    let (client, login) = (&shared.client, delivery::login(&record, &seat.token));
    let path = format!("/1.0/work-request/{}/", record.request);
    let answer = client.call(Method::GET, &path, &login)?;
    // The request's token may end with it.
    let runs = match answer.status {
        401 | 403 | 404 => false,
        _ => answer.expect(&[200], client.url())?.json::<Seen>()?.status == "running",
    };
    if let Some(told) = &mut seat.state().told {
        told.is_settled = !runs;
    }
    Ok(!runs)
}

/// Tells the result of a request again, where the request that is given out now is the one whose result was told last.
///
/// # Errors
///
/// When the server cannot be told.
pub(crate) fn tell_again(shared: &Shared, seat: &Seat, given: &Record) -> Result<bool, Fault> {
    let record = match &seat.state().told {
        Some(told) if is_same(&told.record, given) => Record {
            token: given.token.clone(),
            scope: given.scope.clone(),
            ..told.record.clone()
        },
        _ => return Ok(false),
    };
    log::warn!(
        "work request {} is given out again, though the server has its result, which is told again",
        record.request
    );
    let login = delivery::login(&record, &seat.token);
    delivery::complete(&shared.client, &login, &record)?;
    seat.has_told(record);
    Ok(true)
}

/// Whether it is the same request: a server that was set back gives out numbers anew.
fn is_same(told: &Record, given: &Record) -> bool {
    told.request == given.request
        && told.task_name == given.task_name
        && told.data_hash == given.data_hash
}

#[cfg(test)]
mod tests;
