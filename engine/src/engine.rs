//! The contract of an engine.

use crate::{
    Abort, ArtifactFilter, EngineError, Expired, Lease, LogLine, LogPosition, MissingVerdicts,
    NewArtifact, NewRequest, NewVerdict, PendingSignature, Pruned, RecordedVerdict, Request,
    RequestDetails, RequestFilter, RequestId, Settings, StoredArtifact, Timestamp, Unsigned,
    Worker, WorkerEngine,
};
use std::{collections::BTreeMap, io::Write, time::Duration};
use taskbay_core::{ArtifactId, OutcomeError, Relation, TaskName};

/// Where work requests wait.
///
/// Every call is synchronous, blocks until the database has answered, and may come from any thread; but none may come from
/// within an asynchronous runtime. What a call changed is on disk when it returns. A call that fails changed nothing, unless the
/// connection was lost before the answer came: then nobody can say.
///
/// *Promise:* at-least-once execution, exactly-once recorded completion. All moments are the database's: of PostgreSQL its
/// clock, of SQLite the machine's.
pub trait Engine: WorkerEngine {
    // Whoever wants work done.

    /// Puts a request into the queue, and gives its number.
    ///
    /// # Errors
    ///
    /// When the task data is no JSON or too large, or the database fails.
    fn submit(&self, request: &NewRequest) -> Result<RequestId, EngineError>;

    /// The request of that number.
    ///
    /// # Errors
    ///
    /// When there is none, or the database fails.
    fn request(&self, id: RequestId) -> Result<RequestDetails, EngineError>;

    /// The requests that match, the newest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn requests(&self, filter: &RequestFilter) -> Result<Vec<Request>, EngineError>;

    /// The requests that wait, the first `limit` in the order in which workers get them: the highest priority first, then the
    /// oldest.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn queue(&self, limit: u32) -> Result<Vec<RequestId>, EngineError>;

    /// Those of these requests that there are, in this order, each with its JSON document as it was submitted. Whoever asks for
    /// many asks for a few at a time, since a document may have 1 MiB.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn requests_with_data(&self, ids: &[RequestId]) -> Result<Vec<(Request, String)>, EngineError>;

    /// Stops a request: one that waits or is held is completed as aborted at once; the worker of a running one is told
    /// with its next renewal.
    ///
    /// # Errors
    ///
    /// When there is none, or the database fails.
    fn abort(&self, id: RequestId) -> Result<Abort, EngineError>;

    /// Makes a completed or held request wait again. Its attempts go on counting; its limit counts from here. It is signed
    /// anew, since its plugin may be another one by now.
    ///
    /// # Errors
    ///
    /// When there is none, it is pending or running, or the database fails.
    fn retry(&self, id: RequestId) -> Result<(), EngineError>;

    /// The lines of a request's log after that position, at most `limit`.
    ///
    /// # Errors
    ///
    /// When there is no such request, or the database fails.
    fn log(
        &self,
        id: RequestId,
        after: LogPosition,
        limit: u32,
    ) -> Result<Vec<LogLine>, EngineError>;

    // A scheduler's side.

    /// Pending requests that have no signature yet, in the order of the queue, at most `limit`, but none of the tasks
    /// `except`.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn unsigned(&self, limit: u32, except: &[TaskName]) -> Result<Vec<Unsigned>, EngineError>;

    /// Gives a pending request its match signature, and says the signature's number. None when it is pending no more.
    ///
    /// # Errors
    ///
    /// When there is no such request, the key cannot be used or is another task's, or the database fails.
    fn sign(&self, id: RequestId, signature: &str) -> Result<Option<i64>, EngineError>;

    /// Takes the signatures of a task's unfinished requests, since its plugin changed; says how many.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn unsign(&self, task: &TaskName) -> Result<u64, EngineError>;

    /// Takes a signature of its unfinished requests, since the task's plugin is another one than gave it; says how many.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn unsign_signature(&self, signature: &str) -> Result<u64, EngineError>;

    /// Completes a pending request with these errors, since its data is invalid or its task unknown. False when it is
    /// pending no more.
    ///
    /// # Errors
    ///
    /// When there is no such request, the errors are larger than 1 MiB, or the database fails.
    fn refuse(&self, id: RequestId, errors: &[OutcomeError]) -> Result<bool, EngineError>;

    /// Signatures that pending requests have, by number, the first `limit` of those after the number `after`; all numbers
    /// are positive. What it costs depends neither on how many requests wait nor on how many signatures come behind.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn pending_signatures(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<PendingSignature>, EngineError>;

    /// Which of those signatures lack a verdict on the metadata of which workers seen in the last ten minutes.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn missing_verdicts(
        &self,
        signatures: &[PendingSignature],
    ) -> Result<MissingVerdicts, EngineError>;

    /// Records verdicts. Those whose signature or metadata is gone meanwhile are dropped, and those that say that a plugin
    /// failed where there is one already: another scheduler may have a plugin that does not. Says how many were recorded.
    ///
    /// # Errors
    ///
    /// When the reasons of one are larger than 1 MiB, or the database fails.
    fn record_verdicts(&self, verdicts: &[NewVerdict]) -> Result<u64, EngineError>;

    /// Takes the verdicts back that say that a task's plugin failed, so that they are missing again; says how many.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn forget_failed_verdicts(&self, task: &TaskName) -> Result<u64, EngineError>;

    /// What is recorded for a signature, and the workers that it is about.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn verdicts_of(&self, signature: &str) -> Result<Vec<RecordedVerdict>, EngineError>;

    /// Ends attempts whose leases ran out: their requests wait again (1 s, doubled with each lost attempt, at most 5 min) and
    /// are signed anew, are held once their attempts are used up, or completed where they shall be aborted. Cheap if there is none.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn expire(&self) -> Result<Expired, EngineError>;

    /// What time it is by the database's clock, which all moments are of.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn now(&self) -> Result<Timestamp, EngineError>;

    // The fleet.

    /// All workers, by name.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn workers(&self) -> Result<Vec<Worker>, EngineError>;

    /// The worker of that name.
    ///
    /// # Errors
    ///
    /// When there is none, or the database fails.
    fn worker(&self, name: &str) -> Result<Worker, EngineError>;

    /// Forgets a worker, with what an administrator said of it. One that still runs is there again with its next report.
    ///
    /// # Errors
    ///
    /// When there is none, it executes something, or the database fails.
    fn remove_worker(&self, name: &str) -> Result<(), EngineError>;

    /// Changes what an administrator says of a worker, which need not have reported yet, and gives what is said now. Of
    /// several who do so at once each changes what the one before said. `change` may be called more than once.
    ///
    /// # Errors
    ///
    /// When the name or the metadata cannot be used, or the database fails.
    fn change_worker(
        &self,
        name: &str,
        change: &dyn Fn(&mut Settings),
    ) -> Result<Settings, EngineError>;

    // Artifacts.

    /// Stores an artifact with its files, and gives its number.
    ///
    /// # Errors
    ///
    /// When the lease is lost, a name or the data cannot be used, a file cannot be read, or the database fails.
    fn create_artifact(&self, artifact: NewArtifact<'_>) -> Result<ArtifactId, EngineError>;

    /// The artifact of that number.
    ///
    /// # Errors
    ///
    /// When there is none, or the database fails.
    fn artifact(&self, id: ArtifactId) -> Result<StoredArtifact, EngineError>;

    /// The newest artifact of that category whose data has these texts under these keys: one that a person stored, or the
    /// result of an attempt. What lost and unfinished attempts made is none.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn find_artifact(
        &self,
        category: &str,
        data: &BTreeMap<String, String>,
    ) -> Result<Option<StoredArtifact>, EngineError>;

    /// The artifacts that match, the newest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn artifacts(&self, filter: &ArtifactFilter) -> Result<Vec<StoredArtifact>, EngineError>;

    /// Writes a file's content to `to`, and gives its size. What was written counts only when this succeeds.
    ///
    /// # Errors
    ///
    /// When there is no such file, its content is damaged, `to` fails, or the database fails.
    fn fetch_file(
        &self,
        id: ArtifactId,
        name: &str,
        to: &mut dyn Write,
    ) -> Result<u64, EngineError>;

    /// Notes how two artifacts relate, as told by the attempt that holds `lease`, or by a person. Noted twice is once.
    ///
    /// # Errors
    ///
    /// When the lease is lost, there is no such artifact, or the database fails.
    fn relate(&self, relation: Relation, made_by: Option<&Lease>) -> Result<(), EngineError>;

    /// Removes an artifact. Content that no other has goes with a later [`prune`](Self::prune).
    ///
    /// # Errors
    ///
    /// When there is none, or the database fails.
    fn remove_artifact(&self, id: ArtifactId) -> Result<(), EngineError>;

    // Upkeep.

    /// Removes requests completed that long ago with attempts and logs, workers not seen for that long, and a day at least, of
    /// whom no administrator said anything, signatures that no request has, and file contents that no artifact has, once they
    /// are a day old. Artifacts stay, but for what attempts of those requests left that were lost or handed back.
    ///
    /// Time goes on by a day from one call to the next at most, so that a clock that is far ahead makes nothing old.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn prune(&self, older_than: Duration) -> Result<Pruned, EngineError>;
}
