//! A scheduler: it finds out what requests demand, judges workers, and looks after leases that ran out.

use crate::{Plugins, Stop, Supervisor, fitting, setbacks::Setbacks, supervisor::Part};
use std::{
    fmt,
    time::{Duration, Instant},
};
use taskbay_core::{ErrorCode, OutcomeError, TaskName, Verdict, with_sources};
use taskbay_engine::{Engine, EngineError, MissingVerdict, NewVerdict, Seen, Unsigned};
use taskbay_scheduler::{Matchable, verdict};
use taskbay_worker::{Change, Hosts, LiveCatalog, Unmatchable};

/// How often leases are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How many requests, or verdicts, are dealt with at a time.
const BATCH: u32 = 256;
/// How long it waits after no plugin could be asked, or the engine failed.
const RETRY: Duration = Duration::from_secs(2);

/// A scheduler of an engine, with the plugins that are watched.
///
/// Several may work on one engine: what one does twice is the same twice.
pub struct Scheduling<'e> {
    engine: &'e dyn Engine,
    live: LiveCatalog,
    make_hosts: Box<dyn Fn() -> Hosts + Send + 'e>,
    plugins: Plugins,
    setbacks: Setbacks,
    /// The loop, as the service manager sees it.
    part: Part,
}

impl fmt::Debug for Scheduling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduling")
            .field("engine", &self.engine)
            .field("plugins", &self.plugins)
            .finish_non_exhaustive()
    }
}

impl<'e> Scheduling<'e> {
    /// A scheduler of that engine.
    pub fn new(
        engine: &'e dyn Engine,
        mut live: LiveCatalog,
        make_hosts: impl Fn() -> Hosts + Send + 'e,
        supervisor: &Supervisor,
    ) -> Self {
        Self {
            engine,
            part: supervisor.part(),
            plugins: Plugins::new(make_hosts(), live.current_catalog()),
            setbacks: Setbacks::default(),
            live,
            make_hosts: Box::new(make_hosts),
        }
    }

    /// Works until told to stop.
    pub fn run(&mut self, stop: &Stop) {
        let mut seen = Seen::default();
        while !stop.is_told() {
            self.part.beats();
            let has_more = match self.round(stop) {
                Ok(has_more) => has_more,
                Err(Setback::Engine(error)) => {
                    log::warn!("{}; trying again", with_sources(&error));
                    stop.pause(RETRY);
                    continue;
                }
                Err(Setback::NotAsked(failure)) => {
                    log::warn!("no plugin can be asked: {failure}; trying again");
                    stop.pause(RETRY);
                    continue;
                }
            };
            self.part.is_ready();
            if has_more {
                continue;
            }
            if let Err(error) = self.engine.wait(&mut seen, LOOK) {
                log::warn!("the engine is not heard: {}", with_sources(&error));
                stop.pause(RETRY);
            }
        }
    }

    /// Does some of what there is to do now: of each kind a part, so that none waits for all of another. Says whether there
    /// may be more.
    fn round(&mut self, stop: &Stop) -> Result<bool, Setback> {
        self.engine.expire()?;
        self.renew_plugins()?;
        let has_signed = self.sign(stop)?;
        let has_judged = self.judge(stop)?;
        Ok(has_signed || has_judged)
    }

    /// Takes in that plugins came, went or were replaced: their requests are configured anew. And that it is time to ask
    /// those again that could not be asked.
    fn renew_plugins(&mut self) -> Result<(), EngineError> {
        let changes = self.live.wait(Duration::ZERO);
        if !changes.is_empty() {
            self.plugins = Plugins::new((self.make_hosts)(), self.live.current_catalog());
            self.setbacks.forget();
        } else if self.setbacks.release(Instant::now()) {
            self.plugins.forget_failed(self.live.current_catalog());
        } else {
            return Ok(());
        }
        for change in &changes {
            if !matches!(change, Change::Added(_)) {
                self.engine.unsign(change.plugin().name())?;
            }
        }
        self.engine.forget_failed_verdicts()?;
        Ok(())
    }

    /// Gives some requests their signatures. Says whether there may be more.
    fn sign(&mut self, stop: &Stop) -> Result<bool, Setback> {
        let unsigned = self.engine.unsigned(BATCH, &self.setbacks.waiting())?;
        for request in &unsigned {
            if stop.is_told() {
                return Ok(false);
            }
            // One plugin that hangs after another takes long, and is no fault of the scheduler's.
            self.part.beats();
            if !self.setbacks.is_waiting(&request.task_name) {
                self.sign_one(request)?;
            }
        }
        Ok(unsigned.len() == BATCH as usize)
    }

    fn sign_one(&mut self, request: &Unsigned) -> Result<(), Setback> {
        let (id, task) = (request.id, &request.task_name);
        let error = match self.plugins.configure(task.as_str(), &request.task_data) {
            Ok(configured) => {
                self.setbacks.answered(task, id);
                let signed = self.engine.sign(id, configured.signature().as_str());
                return self.heard(request, signed);
            }
            Err(error) => error,
        };
        let code = match &error {
            Unmatchable::Invalid(_) => ErrorCode::ConfigureFailed,
            Unmatchable::Unknown(_) if !self.is_offered(task)? => ErrorCode::SetupFailed,
            Unmatchable::Failed {
                code: Some(ErrorCode::Crashed),
                ..
            } if self.setbacks.is_final_of(id) => ErrorCode::Crashed,
            Unmatchable::Failed {
                code: Some(code), ..
            } if *code != ErrorCode::Crashed => *code,
            Unmatchable::NotAsked(_) => return Err(error.into()),
            Unmatchable::Unknown(_) | Unmatchable::Failed { .. } => {
                let wait = self.setbacks.of_task(task, Instant::now());
                let wait = wait.as_secs_f64();
                log::warn!("requests for `{task}` wait, for {wait:.1} s at first: {error}");
                return Ok(());
            }
        };
        let mut refusal = OutcomeError::new(code, error.reason().message);
        refusal.panicked = error.is_panic();
        let errors = [refusal];
        let refused = self.engine.refuse(id, &fitting::errors(&errors));
        self.heard(request, refused)
    }

    /// What an engine makes of one request costs no other request anything.
    fn heard(
        &mut self,
        request: &Unsigned,
        told: Result<bool, EngineError>,
    ) -> Result<(), Setback> {
        match told {
            // Or it is gone meanwhile.
            Ok(_) | Err(EngineError::NotFound { .. }) => Ok(()),
            Err(error @ (EngineError::TooLarge { .. } | EngineError::Invalid { .. })) => {
                self.setbacks.of_task(&request.task_name, Instant::now());
                log::error!("request {} waits: {error}", request.id);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a worker says that it has that task, so that this scheduler may have it in a moment.
    fn is_offered(&self, task: &TaskName) -> Result<bool, EngineError> {
        let key = format!("{task}:version");
        let workers = self.engine.workers()?;
        Ok(workers
            .iter()
            .any(|worker| worker.effective.value(&key).is_some()))
    }

    /// Gives some of the verdicts that nobody has given. Says whether there may be more.
    fn judge(&mut self, stop: &Stop) -> Result<bool, Setback> {
        let missing = self.engine.missing_verdicts(BATCH)?;
        let mut verdicts = Vec::new();
        for pair in &missing {
            if stop.is_told() {
                break;
            }
            self.part.beats();
            if let Some(verdict) = self.verdict(pair)? {
                verdicts.push(NewVerdict {
                    signature: pair.signature.clone(),
                    metadata_hash: pair.metadata_hash.clone(),
                    verdict: Verdict {
                        reasons: fitting::reasons(verdict.reasons),
                    },
                });
            }
        }
        let recorded = self.engine.record_verdicts(&verdicts)?;
        // Where none could be given, they are all still missing.
        Ok(recorded > 0 && missing.len() == BATCH as usize)
    }

    /// The verdict, or none where the plugin is another one by now. That a plugin failed is recorded like any other, and
    /// forgotten when it is time to ask again.
    fn verdict(&mut self, missing: &MissingVerdict) -> Result<Option<Verdict>, Setback> {
        let task = match self.plugins.known(&missing.signature) {
            Some(task) => Ok(task.clone()),
            // Another scheduler has signed it, or this one before it was started anew.
            None => self.configure_example(missing)?,
        };
        let verdict = match task {
            Ok(task) => verdict(&task, &missing.metadata, &mut self.plugins)
                .map_err(|error| Setback::NotAsked(error.to_string()))?,
            Err(Some(verdict)) => verdict,
            Err(None) => return Ok(None),
        };
        if verdict.has_failed() {
            let wait = self.setbacks.of_task(&missing.task_name, Instant::now());
            let (task, wait) = (&missing.task_name, wait.as_secs_f64());
            let reasons = verdict.reasons.iter().map(|reason| &*reason.message);
            let reasons: Vec<_> = reasons.collect();
            log::warn!(
                "`{task}` cannot say who suits, and is asked again in {wait:.1} s: {}",
                reasons.join("; ")
            );
        }
        Ok(Some(verdict))
    }

    /// Configures a request with a signature that is not known here. Where that is not to be had, the verdict that stands in
    /// its place, or none for now.
    fn configure_example(
        &mut self,
        missing: &MissingVerdict,
    ) -> Result<Result<Matchable, Option<Verdict>>, Setback> {
        let example = self.engine.request(missing.example)?;
        let task = missing.task_name.as_str();
        Ok(match self.plugins.configure(task, &example.task_data) {
            Ok(task) if task.signature().as_str() == missing.signature => Ok(task),
            Ok(_) => {
                // The plugin is another one by now.
                self.engine.unsign(&missing.task_name)?;
                Err(None)
            }
            Err(error @ Unmatchable::NotAsked(_)) => return Err(error.into()),
            Err(error) => Err(Some(Verdict {
                reasons: vec![error.reason()],
            })),
        })
    }
}

/// Why a round is not done.
#[derive(Debug)]
enum Setback {
    Engine(EngineError),
    /// No plugin can be asked, for which none is to blame.
    NotAsked(String),
}

impl From<EngineError> for Setback {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<Unmatchable> for Setback {
    fn from(error: Unmatchable) -> Self {
        Self::NotAsked(error.to_string())
    }
}
