//! The thread of a seat: it keeps the connection, and does what the server asks over it.

use crate::{
    client::Login, connection::Connection, dialect::Dialect, fault::Fault, notice::Notice, offer,
    seat::Seat, shared::Shared,
};
use std::{
    io, thread,
    time::{Duration, Instant},
};
use taskbay_core::with_sources;
use ureq::http::Method;

/// How often it looks whether there is something to do.
const LOOK: Duration = Duration::from_millis(500);
/// How often the server is told what is offered, whether it asks or not.
const HOURLY: Duration = Duration::from_hours(1);
/// How long it waits before it tries again what failed.
const RETRY: Duration = Duration::from_secs(5);
/// How often it is told that there still is no connection.
const TELL: Duration = Duration::from_mins(10);

/// Keeps a seat connected until the worker ends. One that takes no more requests is not connected as soon as it can be: the
/// server would give it some, and nobody else would have them before this worker is back.
pub(crate) fn attend(shared: &Shared, seat: &Seat) {
    connect(shared, seat);
    // What waits is told all the same.
    while !shared.is_over() {
        if let Err(fault) = shared.tell_kept(seat) {
            log::warn!("{}; trying again", with_sources(&fault));
        }
        pause(RETRY, || shared.is_over());
    }
}

fn connect(shared: &Shared, seat: &Seat) {
    let mut told: Option<(String, Instant)> = None;
    while !shared.is_left_by(seat) {
        let fault = Session::new(shared, seat).and_then(Session::last);
        seat.is_cut();
        if let Err(fault) = fault {
            let text = with_sources(&fault);
            let is_told = told
                .as_ref()
                .is_some_and(|(before, when)| *before == text && when.elapsed() < TELL);
            if !is_told {
                log::warn!(
                    "seat {} is not connected: {text}; trying again",
                    seat.number
                );
                told = Some((text, Instant::now()));
            }
        }
        // So that a server that starts anew is not asked by all at once.
        let length = Duration::from_millis(fastrand::u64(1000..6000));
        pause(length, || shared.is_left_by(seat));
    }
}

fn pause(length: Duration, is_over: impl Fn() -> bool) {
    let until = Instant::now() + length;
    while !is_over() && Instant::now() < until {
        thread::sleep(LOOK / 5);
    }
}

/// A connection, as long as it lasts.
struct Session<'s> {
    shared: &'s Shared,
    seat: &'s Seat,
    connection: Connection,
    opened: Instant,
    dialect: Dialect,
    /// Whether the server said that it knows this worker.
    is_known: bool,
    /// Which offer the server was told last, and when.
    told: Option<(u64, Instant)>,
    /// Before that nothing is tried that failed.
    pause: Instant,
}

impl<'s> Session<'s> {
    fn new(shared: &'s Shared, seat: &'s Seat) -> Result<Self, Fault> {
        // It may have been upgraded.
        let dialect = Dialect::find(&shared.client)?;
        shared.speaks(dialect);
        let url = shared.client.url();
        let opened = Connection::open(url, &seat.token);
        let connection = opened.map_err(|source| Fault::Unavailable {
            place: url.to_string(),
            source,
        })?;
        Ok(Self {
            shared,
            seat,
            connection,
            opened: Instant::now(),
            dialect,
            is_known: false,
            told: None,
            pause: Instant::now(),
        })
    }

    /// Lasts until the worker ends, or takes no more requests and has none here.
    ///
    /// # Errors
    ///
    /// When the connection is over before that.
    fn last(mut self) -> Result<(), Fault> {
        while !self.shared.is_left_by(self.seat) {
            let heard = self.connection.hear(LOOK);
            let heard = heard.map_err(|source| self.cut(source))?;
            if let Some(notice) = heard {
                self.hears(notice)?;
            }
            self.say_live()?;
            if self.is_known && Instant::now() >= self.pause {
                self.tend()?;
            }
            if self.seat.state().polling.becomes_due(Instant::now()) {
                self.shared.bell.ring();
            }
        }
        self.connection.close();
        Ok(())
    }

    /// Says what an attempt said since.
    fn say_live(&mut self) -> Result<(), Fault> {
        let said = self.seat.live.take();
        let mut said = said.into_iter().take_while(|_| self.is_known);
        said.try_for_each(|text| self.connection.say(text))
            .map_err(|source| self.cut(source))
    }

    fn cut(&self, source: io::Error) -> Fault {
        Fault::Unavailable {
            place: self.shared.client.url().to_string(),
            source,
        }
    }

    fn hears(&mut self, notice: Notice) -> Result<(), Fault> {
        match notice {
            Notice::Connected => {
                log::info!(
                    "seat {} is connected to {}",
                    self.seat.number,
                    self.shared.client.url()
                );
                self.is_known = true;
            }
            Notice::MetadataWanted => self.told = None,
            Notice::WorkOffered => self.seat.is_offered(self.opened),
            Notice::Closed {
                reason,
                is_disabled,
            } => return Err(self.closed(reason, is_disabled)),
            Notice::Other => log::debug!("the server says something that is not known here"),
        }
        Ok(())
    }

    fn closed(&self, reason: String, is_disabled: bool) -> Fault {
        let problem = if is_disabled {
            let hash = self.seat.token.hash();
            format!(
                "{reason}; an administrator of the server has to enable the token with the hash {hash}"
            )
        } else {
            reason
        };
        Fault::Refused {
            what: "the connection".to_owned(),
            status: 403,
            problem,
        }
    }

    /// Does what is to be done while there is a connection.
    fn tend(&mut self) -> Result<(), Fault> {
        let tended = match self.tell_offer() {
            // The connection is over, too.
            Err(fault) if fault.is_denied() => return Err(fault),
            Err(fault) => Err(fault),
            Ok(()) => self.shared.tell_kept(self.seat),
        };
        if let Err(fault) = tended {
            log::warn!("{}; trying again", with_sources(&fault));
            self.pause = Instant::now() + RETRY;
        }
        Ok(())
    }

    /// Tells the server what is offered, where it wants to know, that changed, or was long ago.
    fn tell_offer(&mut self) -> Result<(), Fault> {
        let offered = self.shared.offered();
        let is_told =
            |(number, when): (u64, Instant)| number == offered.number && when.elapsed() < HOURLY;
        // A seat that was refused once is told of again.
        let is_known = self.seat.has_offered() && self.told.is_some_and(is_told);
        if offered.number == 0 || is_known {
            return Ok(());
        }
        let login = Login::of(&self.seat.token);
        let document = offer::offer(self.dialect, &offered.metadata);
        let client = &self.shared.client;
        client
            .send(
                Method::PUT,
                "/1.0/worker/dynamic-metadata/",
                &login,
                &document,
            )?
            .expect(&[204], client.url())?;
        self.told = Some((offered.number, Instant::now()));
        self.seat.is_ready();
        Ok(())
    }
}
