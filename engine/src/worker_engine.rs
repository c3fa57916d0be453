//! The contract of an engine towards a worker.

use crate::{Claim, EngineError, Lease, NewLogLine, Renewal, Report, Seen, Standing};
use std::{fmt::Debug, time::Duration};
use taskbay_core::Outcome;

/// Where a worker takes work requests from: all that it needs to know of an engine.
///
/// Every call is synchronous, blocks until the engine has answered, and may come from any thread; but none may come from
/// within an asynchronous runtime. A call that fails changed nothing, unless the connection was lost before the answer came:
/// then nobody can say.
///
/// # Leases
///
/// A lease is lost the moment it runs out, whether or not somebody has taken the request over: from then on everything
/// that names it is refused with [`EngineError::Stale`], and logged as a warning. A worker that was paused past its lease
/// is refused too when its successor has the same name, since the fence differs.
pub trait WorkerEngine: Debug + Send + Sync {
    /// The engine's URL, without its password.
    fn place(&self) -> &str;

    /// Notes that a worker is there, and what it offers.
    ///
    /// # Errors
    ///
    /// When the name or the metadata cannot be used, or the database fails.
    fn report(&self, report: &Report) -> Result<Standing, EngineError>;

    /// Whether the standing has all that holds of the worker's metadata. Where it has not, the engine may have judged by what
    /// an administrator said, which the worker cannot know: what it gives is not refused for metadata then.
    fn tells_all_metadata(&self) -> bool {
        true
    }

    /// Gives the worker the best request that it may execute: pending, not held back, suited by a recorded verdict and
    /// permitted by the worker's lists; of these the highest priority, then the oldest. None where there is none, or the
    /// worker is disabled or draining. `lease` is how long it holds, from 1 ms to one day.
    ///
    /// # Errors
    ///
    /// When the worker never reported, or the database fails.
    fn claim(&self, worker: &str, lease: Duration) -> Result<Option<Claim>, EngineError>;

    /// The worker takes nothing more, and ends once what it has is done. An engine that gives requests to workers before they
    /// ask for them gives it none from now on.
    fn drains(&self) {}

    /// Makes the lease hold for `length` from now.
    ///
    /// # Errors
    ///
    /// When it is lost, or the database fails.
    fn renew(&self, lease: &Lease, length: Duration) -> Result<Renewal, EngineError>;

    /// Whether somebody asked to stop the request of an attempt. It changes nothing, unlike a renewal, so it wakes nobody.
    ///
    /// # Errors
    ///
    /// When the lease is lost, or the database fails.
    fn is_abort_requested(&self, lease: &Lease) -> Result<bool, EngineError>;

    /// Appends lines to the attempt's log, in their order. Beyond 16 MiB of messages an attempt's further lines are dropped,
    /// and one line says so.
    ///
    /// # Errors
    ///
    /// When the lease is lost, a line is longer than 64 KiB, there are more than 10,000, or the database fails.
    fn append_log(&self, lease: &Lease, lines: &[NewLogLine]) -> Result<(), EngineError>;

    /// Records how the attempt ended, which is the result of its request. To say the same again is no error, since an
    /// answer can get lost on the way.
    ///
    /// # Errors
    ///
    /// When the lease is lost, the errors are larger than 1 MiB, or the database fails.
    fn complete(&self, lease: &Lease, outcome: &Outcome) -> Result<(), EngineError>;

    /// Hands the request back without a result, for another attempt after `delay`. It does not count as lost, and is signed
    /// anew. A request that shall be aborted is completed as aborted. To say it again is no error.
    ///
    /// # Errors
    ///
    /// When the lease is lost, or the database fails.
    fn release(&self, lease: &Lease, reason: &str, delay: Duration) -> Result<(), EngineError>;

    /// Waits until something changed that `seen` has not seen, at most `timeout`; says whether. The first wait of a new
    /// [`Seen`] returns at once, so that nothing is missed between looking and waiting:
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use taskbay_engine::{EngineError, Seen, WorkerEngine};
    /// # fn work(engine: &dyn WorkerEngine) -> Result<(), EngineError> {
    /// let mut seen = Seen::default();
    /// loop {
    ///     engine.wait(&mut seen, Duration::from_secs(30))?;
    ///     while let Some(claim) = engine.claim("here", Duration::from_secs(60))? {
    ///         // execute it
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// True says that it may be worth looking. On PostgreSQL log lines and renewals wake nobody.
    ///
    /// # Errors
    ///
    /// When the database cannot be listened to.
    fn wait(&self, seen: &mut Seen, timeout: Duration) -> Result<bool, EngineError>;
}
