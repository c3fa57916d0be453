//! What the threads of a worker share.

use crate::{
    bell::Bell,
    client::Client,
    delivery,
    dialect::Dialect,
    fault::Fault,
    record::Record,
    seat::{Seat, Work},
};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use taskbay_core::{Metadata, with_sources};

/// What the threads of a worker share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) client: Arc<Client>,
    pub(crate) seats: Vec<Seat>,
    pub(crate) bell: Bell,
    dialect: Mutex<Dialect>,
    offered: Mutex<Offered>,
    is_over: AtomicBool,
}

/// What the worker offers; the number grows when that changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offered {
    pub(crate) number: u64,
    pub(crate) metadata: Arc<Metadata>,
}

impl Shared {
    pub(crate) fn new(client: Arc<Client>, dialect: Dialect, seats: Vec<Seat>) -> Self {
        Self {
            client,
            seats,
            bell: Bell::new(),
            dialect: Mutex::new(dialect),
            offered: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        *self.dialect.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server may be another one by now.
    pub(crate) fn speaks(&self, dialect: Dialect) {
        *self.dialect.lock().unwrap_or_else(PoisonError::into_inner) = dialect;
    }

    pub(crate) fn offered(&self) -> Offered {
        self.offered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes what the worker offers now.
    pub(crate) fn offers(&self, metadata: &Metadata) {
        let mut offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        if offered.number == 0 || *offered.metadata != *metadata {
            offered.number += 1;
            offered.metadata = Arc::new(metadata.clone());
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    pub(crate) fn ends(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.bell.ring();
    }

    /// Tells the server a result that is kept, if there is one.
    ///
    /// # Errors
    ///
    /// When the server cannot be told yet.
    pub(crate) fn tell_kept(&self, seat: &Seat) -> Result<(), Fault> {
        let mut record = match &seat.state().work {
            Work::Kept(record) => Record::clone(record),
            _ => return Ok(()),
        };
        let login = delivery::login(&record, &seat.token);
        let logs = crate::debug_logs::DebugLogs::of_before(seat.shelf.clone());
        let request = record.request;
        let told = delivery::send_logs(&self.client, &login, &logs, &mut record)
            .and_then(|()| delivery::complete(&self.client, &login, &record));
        match told {
            Ok(()) => log::info!("the result of work request {request}, which was kept, is told"),
            Err(fault) if fault.may_be_taken_later() => {
                // Its logs are not to be sent twice.
                if let Work::Kept(kept) = &mut seat.state().work {
                    **kept = record;
                }
                return Err(fault);
            }
            Err(fault) => log::error!(
                "the result of work request {request}, which was kept, is refused, and so lost: {}",
                with_sources(&fault)
            ),
        }
        seat.shelf.forget();
        seat.is_free(None);
        self.bell.ring();
        Ok(())
    }
}
