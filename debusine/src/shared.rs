//! What the threads of a worker share.

use crate::{bell::Bell, client::Client, dialect::Dialect, seat::Seat, untold::Untold};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use taskbay_core::Metadata;

/// What the threads of a worker share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) client: Arc<Client>,
    pub(crate) seats: Vec<Seat>,
    pub(crate) bell: Bell,
    /// Results that the server does not take.
    pub(crate) untold: Untold,
    dialect: Mutex<Dialect>,
    offered: Mutex<Offered>,
    is_draining: AtomicBool,
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
            untold: Untold::default(),
            dialect: Mutex::new(dialect),
            offered: Mutex::default(),
            is_draining: AtomicBool::new(false),
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

    /// The worker takes no more requests.
    pub(crate) fn drains(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    /// Whether a seat needs no connection any more.
    pub(crate) fn is_left_by(&self, seat: &Seat) -> bool {
        self.is_over() || self.is_draining() && seat.needs_nothing()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    pub(crate) fn ends(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.bell.ring();
        self.untold.end();
    }
}
