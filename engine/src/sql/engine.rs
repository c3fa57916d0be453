//! The engine on a database: an own small runtime, in which the queries run while the caller waits.

use super::{
    Database,
    again::again,
    artifacts,
    clock::Clock,
    expiry, logs,
    patience::{LONG, SHORT, in_time},
    prune, requests, signatures, submission, verdicts,
    watch::Watch,
    workers,
};
use crate::{
    Abort, ArtifactFilter, Engine, EngineError, Expired, Lease, LogLine, LogPosition,
    MissingVerdicts, NewArtifact, NewRequest, NewVerdict, PendingSignature, Pruned,
    RecordedVerdict, Request, RequestDetails, RequestFilter, RequestId, Settings, StoredArtifact,
    Timestamp, Unsigned, Worker, place::Place,
};
use std::{collections::BTreeMap, fmt, io::Write, time::Duration};
use taskbay_core::{ArtifactId, OutcomeError, Relation, TaskName};
use tokio::runtime::{Builder, Runtime};

/// An engine on SQLite or PostgreSQL.
pub(crate) struct SqlEngine {
    pub(super) place: Place,
    pub(super) database: Database,
    pub(super) watch: Watch,
    clock: Clock,
    /// Taken out only when the engine is dropped.
    runtime: Option<Runtime>,
}

impl SqlEngine {
    /// Opens the database that `connect` gives, in a new runtime.
    pub(crate) fn open<F>(place: Place, connect: F) -> Result<Self, EngineError>
    where
        F: AsyncFnOnce(&Place) -> Result<Database, EngineError>,
    {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("taskbay-engine")
            .enable_all()
            .build()
            .map_err(|error| EngineError::Unavailable {
                place: place.to_string(),
                source: error.into(),
            })?;
        let database = runtime
            .block_on(connect(&place))
            .map_err(|error| error.at(place.as_str()))?;
        Ok(Self {
            place,
            database,
            watch: Watch::default(),
            clock: Clock::default(),
            runtime: Some(runtime),
        })
    }

    pub(super) fn runtime(&self) -> &Runtime {
        self.runtime
            .as_ref()
            .expect("the runtime is there until the engine is dropped")
    }

    /// Waits for an answer. Where transactions were in each other's way, it is asked again.
    pub(super) fn ask<T>(
        &self,
        answer: impl AsyncFn() -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.ask_once(in_time(&self.database, SHORT, again(answer)))
    }

    /// Waits for an answer. Whoever held a lease too long is in the log with it.
    fn ask_once<T>(
        &self,
        answer: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        let answer = self
            .runtime()
            .block_on(answer)
            .map_err(|error| error.at(self.place.as_str()));
        if let Err(error @ EngineError::Stale { .. }) = &answer {
            log::warn!("refused: {error}");
        }
        answer
    }

    /// Asks whichever database it is for a worker's side, which they do in their own ways.
    pub(super) fn is_postgres(&self) -> bool {
        matches!(self.database, Database::Postgres(_))
    }
}

impl Drop for SqlEngine {
    fn drop(&mut self) {
        // Waiting for the runtime's thread would panic where somebody drops the engine in a runtime of their own.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for SqlEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Engine").field(&self.place.as_str()).finish()
    }
}

impl Engine for SqlEngine {
    fn submit(&self, request: &NewRequest) -> Result<RequestId, EngineError> {
        self.ask(|| submission::submit(&self.database, request))
    }

    fn request(&self, id: RequestId) -> Result<RequestDetails, EngineError> {
        self.ask(|| requests::request(&self.database, id))
    }

    fn requests(&self, filter: &RequestFilter) -> Result<Vec<Request>, EngineError> {
        self.ask(|| requests::requests(&self.database, filter))
    }

    fn queue(&self, limit: u32) -> Result<Vec<RequestId>, EngineError> {
        self.ask(|| requests::queue(&self.database, limit))
    }

    fn requests_with_data(&self, ids: &[RequestId]) -> Result<Vec<(Request, String)>, EngineError> {
        self.ask(|| requests::with_data(&self.database, ids))
    }

    fn abort(&self, id: RequestId) -> Result<Abort, EngineError> {
        self.ask(|| submission::abort(&self.database, id))
    }

    fn retry(&self, id: RequestId) -> Result<(), EngineError> {
        self.ask(|| submission::retry(&self.database, id))
    }

    fn log(
        &self,
        id: RequestId,
        after: LogPosition,
        limit: u32,
    ) -> Result<Vec<LogLine>, EngineError> {
        self.ask(|| logs::log(&self.database, id, after, limit))
    }

    fn unsigned(&self, limit: u32, except: &[TaskName]) -> Result<Vec<Unsigned>, EngineError> {
        self.ask(|| signatures::unsigned(&self.database, limit, except))
    }

    fn sign(&self, id: RequestId, signature: &str) -> Result<Option<i64>, EngineError> {
        self.ask(|| signatures::sign(&self.database, id, signature))
    }

    fn unsign(&self, task: &TaskName) -> Result<u64, EngineError> {
        let unsigned = again(|| signatures::unsign(&self.database, task));
        self.ask_once(in_time(&self.database, LONG, unsigned))
    }

    fn unsign_signature(&self, signature: &str) -> Result<u64, EngineError> {
        let unsigned = again(|| signatures::unsign_signature(&self.database, signature));
        self.ask_once(in_time(&self.database, LONG, unsigned))
    }

    fn refuse(&self, id: RequestId, errors: &[OutcomeError]) -> Result<bool, EngineError> {
        self.ask(|| submission::refuse(&self.database, id, errors))
    }

    fn pending_signatures(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<PendingSignature>, EngineError> {
        self.ask(|| signatures::pending(&self.database, after, limit))
    }

    fn missing_verdicts(
        &self,
        signatures: &[PendingSignature],
    ) -> Result<MissingVerdicts, EngineError> {
        self.ask(|| verdicts::missing(&self.database, signatures))
    }

    fn record_verdicts(&self, verdicts: &[NewVerdict]) -> Result<u64, EngineError> {
        self.ask(|| verdicts::record(&self.database, verdicts))
    }

    fn forget_failed_verdicts(&self, task: &TaskName) -> Result<u64, EngineError> {
        self.ask(|| verdicts::forget_failed(&self.database, task))
    }

    fn verdicts_of(&self, signature: &str) -> Result<Vec<RecordedVerdict>, EngineError> {
        self.ask(|| verdicts::of(&self.database, signature))
    }

    fn expire(&self) -> Result<Expired, EngineError> {
        self.ask(|| expiry::expire(&self.database, &self.clock))
    }

    fn now(&self) -> Result<Timestamp, EngineError> {
        self.ask(async || {
            let mut transaction = self.database.read().await?;
            transaction.now().await.map(Timestamp)
        })
    }

    fn workers(&self) -> Result<Vec<Worker>, EngineError> {
        self.ask(|| workers::workers(&self.database))
    }

    fn worker(&self, name: &str) -> Result<Worker, EngineError> {
        self.ask(|| workers::worker(&self.database, name))
    }

    fn remove_worker(&self, name: &str) -> Result<(), EngineError> {
        self.ask(|| workers::remove_worker(&self.database, name))
    }

    fn change_worker(
        &self,
        name: &str,
        change: &dyn Fn(&mut Settings),
    ) -> Result<Settings, EngineError> {
        self.ask(|| workers::change_worker(&self.database, name, change))
    }

    fn create_artifact(&self, artifact: NewArtifact<'_>) -> Result<ArtifactId, EngineError> {
        self.ask_once(artifacts::create(&self.database, artifact))
    }

    fn artifact(&self, id: ArtifactId) -> Result<StoredArtifact, EngineError> {
        self.ask(|| artifacts::artifact(&self.database, id))
    }

    fn find_artifact(
        &self,
        category: &str,
        data: &BTreeMap<String, String>,
    ) -> Result<Option<StoredArtifact>, EngineError> {
        self.ask(|| artifacts::find(&self.database, category, data))
    }

    fn artifacts(&self, filter: &ArtifactFilter) -> Result<Vec<StoredArtifact>, EngineError> {
        self.ask(|| artifacts::artifacts(&self.database, filter))
    }

    fn fetch_file(
        &self,
        id: ArtifactId,
        name: &str,
        to: &mut dyn Write,
    ) -> Result<u64, EngineError> {
        self.ask_once(artifacts::fetch_file(&self.database, id, name, to))
    }

    fn relate(&self, relation: Relation, made_by: Option<&Lease>) -> Result<(), EngineError> {
        self.ask(|| artifacts::relate(&self.database, &relation, made_by))
    }

    fn remove_artifact(&self, id: ArtifactId) -> Result<(), EngineError> {
        self.ask(|| artifacts::remove(&self.database, id))
    }

    fn prune(&self, older_than: Duration) -> Result<Pruned, EngineError> {
        // Each part of it has a time of its own.
        self.ask_once(prune::prune(&self.database, older_than))
    }
}
