//! A server, asked for work.

use crate::{
    attempt::Attempt,
    client::Login,
    completion::Completion,
    debug_logs::DebugLogs,
    delivery,
    dialect::{Dialect, NEXT},
    fault::Fault,
    record::Record,
    seat::{Seat, Work},
    shared::Shared,
    told,
    work_request::{self, WorkRequest},
};
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use taskbay_core::with_sources;
use taskbay_engine::{Claim, Lease, Timestamp};
use ureq::http::Method;

/// How long a server is left alone that failed, or that cannot give work now.
const PAUSE: Duration = Duration::from_secs(5);

/// Asks the server for the next request of a seat, which has begun to ask.
///
/// # Errors
///
/// When the server cannot be asked.
pub(crate) fn next(shared: &Shared, seat: &Seat) -> Result<Option<Claim>, Fault> {
    // The server takes what this worker has not told it for lost.
    shared.untold.tell_new(&shared.client, seat.number);
    match request(shared, seat) {
        Ok(Some(request)) => match begin(shared, seat, &request) {
            Ok(claim) => Ok(claim),
            Err(fault) => {
                seat.is_free(Some(PAUSE));
                Err(fault)
            }
        },
        Ok(None) => Ok(None),
        Err(fault) => {
            // The server would give what cannot be read out again, and again.
            seat.is_free(fault.is_passing().then_some(PAUSE));
            if fault.is_denied() {
                // The connection says so, too.
                seat.is_cut();
            }
            Err(fault)
        }
    }
}

/// The request that the server gives; none where it has none.
fn request(shared: &Shared, seat: &Seat) -> Result<Option<WorkRequest>, Fault> {
    let (client, login) = (&shared.client, Login::of(&seat.token));
    let dialect = shared.dialect();
    if dialect == Dialect::Scoped && !told::is_settled(shared, seat)? {
        seat.is_free(Some(PAUSE));
        return Ok(None);
    }
    let answer = match dialect {
        Dialect::Plain => client.call(Method::GET, NEXT, &login)?,
        Dialect::Scoped => client.send(Method::POST, NEXT, &login, &json!({}))?,
    };
    match answer.status {
        204 => {
            let mut state = seat.state();
            state.work = Work::Nothing;
            shared
                .bell
                .ring_at(state.polling.had_nothing(Instant::now()));
            return Ok(None);
        }
        423 if dialect == Dialect::Scoped => {
            log::info!(
                "what the server has for seat {} is locked; it is asked again",
                seat.number
            );
            seat.is_free(Some(PAUSE));
            return Ok(None);
        }
        _ => {}
    }
    let answer = answer.expect(&[200], client.url())?;
    let request = answer.json::<WorkRequest>()?.checked()?;
    if dialect == Dialect::Scoped && request.token().is_none() {
        return Err(Fault::malformed(
            "what is to be done",
            "it has no token of its own",
        ));
    }
    Ok(Some(request))
}

/// Begins with a request; none where it cannot be executed here, which the server is told.
fn begin(shared: &Shared, seat: &Seat, request: &WorkRequest) -> Result<Option<Claim>, Fault> {
    let mut record = Record::of(request);
    if told::tell_again(shared, seat, &record)? {
        seat.is_free(Some(PAUSE));
        return Ok(None);
    }
    seat.state().given = Some((request.id, Instant::now()));
    if let Some(before) = seat.state().before.take() {
        recognise(seat, &before, &record);
    }
    let login = delivery::login(&record, &seat.token);
    let work = match request.work(shared.dialect()) {
        Ok(work) => work,
        Err(refused) => {
            log::error!(
                "work request {} is refused: {}",
                request.id,
                refused.message
            );
            record.completion = Some(Completion::unreadable(refused.code, &refused.message));
            // It has said nothing.
            record.are_logs_sent = true;
            shared.complete(seat, record)?;
            return Ok(None);
        }
    };
    // On a full disk it is executed all the same; only nobody recognises it later.
    if let Err(fault) = seat.shelf.keep(&record) {
        log::error!("{}", with_sources(&fault));
    }
    let lease = Lease {
        request: request.id,
        attempt: 1,
        fence: fastrand::i64(1..),
    };
    let logs = DebugLogs::begin(seat.shelf.clone());
    let attempt = Attempt::begin(lease, work.task.clone(), login, logs, record);
    seat.state().work = Work::Executing(Arc::new(attempt));
    Ok(Some(claim(lease, work, request.priority())))
}

fn claim(lease: Lease, work: work_request::Work, priority: i32) -> Claim {
    Claim {
        lease,
        lease_until: forever(),
        task_name: work.task,
        task_data: work.data,
        priority,
        timeout: None,
    }
}

/// Until when a request is a worker's: the server takes it from nobody.
pub(crate) fn forever() -> Timestamp {
    const DAY: Duration = Duration::from_hours(24);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from((now + DAY).as_millis()).unwrap_or(i64::MAX))
}

/// Tells that a request is the one that this seat had before: a server gives it out again under another number when the worker
/// it was with asks for work.
fn recognise(seat: &Seat, before: &Record, now: &Record) {
    let (old, new) = (before.request, now.request);
    if old == new {
        log::info!("work request {new}, which this worker did not finish, is given out again");
    } else if before.data_hash == now.data_hash && before.task_name == now.task_name {
        let name = &now.task_name;
        log::info!(
            "work request {new} is `{name}` of work request {old} again, which this worker did not finish"
        );
    } else {
        let number = seat.number;
        log::info!(
            "work request {old}, which seat {number} did not finish, is given up; {new} is another"
        );
    }
}
