//! Results on their way to the server: on disk before it is told, and as long as it does not take them.

use crate::{
    debug_logs::DebugLogs,
    delivery::{self, Fate, Untaken},
    fault::Fault,
    record::Record,
    seat::{Seat, Work},
    shared::Shared,
};
use taskbay_core::with_sources;

impl Shared {
    /// Tells the server how the request of a seat ended. The result is on disk before it is told; what the server does not take
    /// now is told later.
    ///
    /// # Errors
    ///
    /// When the request is another's by now.
    pub(crate) fn complete(&self, seat: &Seat, mut record: Record) -> Result<(), Fault> {
        // Whatever ends this process now.
        let kept = seat.shelf.keep(&record).map(|()| record.clone());
        let Err(untaken) = self.tell(seat, &mut record) else {
            return Ok(());
        };
        let request = record.request;
        let fate = untaken.fate(&self.client, &seat.token, &mut record);
        let fault = untaken.why;
        match fate {
            Fate::IsLost => {
                is_done(seat);
                return Err(fault);
            }
            Fate::Waits => {
                log::warn!(
                    "the result of work request {request} is kept until the server can be told: {}",
                    with_sources(&fault)
                );
                Self::waits(seat, record, kept.ok().as_ref());
            }
            Fate::IsApart => {
                if let Err(fault) = self.sets_aside(seat, record, &fault) {
                    log::error!("{}", with_sources(&fault));
                }
            }
        }
        Ok(())
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
        let (request, before) = (record.request, record.clone());
        let Err(untaken) = self.tell(seat, &mut record) else {
            log::info!("the result of work request {request}, which was kept, is told");
            self.bell.ring();
            return Ok(());
        };
        let fate = untaken.fate(&self.client, &seat.token, &mut record);
        let fault = untaken.why;
        match fate {
            Fate::IsLost => {
                log::error!(
                    "the result of work request {request}, which was kept, is refused, and so lost: {}",
                    with_sources(&fault)
                );
                is_done(seat);
            }
            Fate::Waits => {
                Self::waits(seat, record, Some(&before));
                return Err(fault);
            }
            Fate::IsApart => self.sets_aside(seat, record, &fault)?,
        }
        self.bell.ring();
        Ok(())
    }

    fn tell(&self, seat: &Seat, record: &mut Record) -> Result<(), Untaken> {
        let logs = DebugLogs::of_before(seat.shelf.clone());
        delivery::tell(&self.client, &seat.token, &logs, record)?;
        seat.has_told(record.clone());
        is_done(seat);
        Ok(())
    }

    /// The seat waits with its result until the server takes it; where the disk does not, as long as this process lives.
    fn waits(seat: &Seat, record: Record, on_disk: Option<&Record>) {
        if on_disk != Some(&record)
            && let Err(fault) = seat.shelf.keep(&record)
        {
            log::error!("{}", with_sources(&fault));
        }
        seat.state().work = Work::Kept(record.into());
    }

    /// The result is told apart from its seat, which goes on with what else the server has for it; or waits with it, where there
    /// is no room.
    fn sets_aside(&self, seat: &Seat, record: Record, fault: &Fault) -> Result<(), Fault> {
        let apart = match seat.shelf.set_aside(seat.number, &record) {
            Ok(apart) => apart,
            Err(fault) => {
                Self::waits(seat, record, None);
                return Err(fault);
            }
        };
        log::error!(
            "the server does not take the result of work request {}: {}; it is kept in {}, and told again from time to time; \
             mend what the server says, or remove that folder to give the result up",
            record.request,
            with_sources(fault),
            apart.folder().display()
        );
        self.untold
            .add(seat.number, seat.token.clone(), apart, true);
        seat.is_free(None);
        Ok(())
    }
}

/// Nobody needs to be told any more.
fn is_done(seat: &Seat) {
    seat.shelf.forget();
    seat.is_free(None);
}

#[cfg(test)]
mod tests;
