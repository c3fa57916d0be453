//! What upkeep did, and what a waiting caller has seen.

/// What [`expire`](crate::Engine::expire) did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Requests that wait again.
    pub pending: u64,
    /// Requests whose attempts are used up.
    pub held: u64,
    /// Requests that somebody had asked to stop.
    pub aborted: u64,
}

/// What [`prune`](crate::Engine::prune) removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Completed requests.
    pub requests: u64,
    /// Workers that were gone.
    pub workers: u64,
    /// Artifacts that their attempts had left without a result.
    pub artifacts: u64,
    /// Signatures that no request had.
    pub signatures: u64,
    /// Pieces of file contents that no artifact had, of up to 1 MiB each.
    pub chunks: u64,
}

/// How much of an engine's changes a caller of [`wait`](crate::WorkerEngine::wait) has seen, as the engine counts them;
/// nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen(pub u64);
