//! A scheduler: it finds out what requests demand, judges workers, and looks after leases that ran out.

use crate::{Plugins, Stop, Supervisor, supervisor::Part};
use std::{fmt, time::Duration};
use taskbay_core::{ErrorCode, OutcomeError, Verdict};
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
        live: LiveCatalog,
        make_hosts: impl Fn() -> Hosts + Send + 'e,
        supervisor: &Supervisor,
    ) -> Self {
        Self {
            engine,
            part: supervisor.part(),
            plugins: Plugins::new(make_hosts(), live.read_catalog()),
            live,
            make_hosts: Box::new(make_hosts),
        }
    }

    /// Works until told to stop.
    pub fn run(&mut self, stop: &Stop) {
        let mut seen = Seen::default();
        while !stop.is_told() {
            self.part.beats();
            if let Err(error) = self.round() {
                log::warn!("{error}; trying again");
                stop.pause(RETRY);
                continue;
            }
            self.part.is_ready();
            if let Err(error) = self.engine.wait(&mut seen, LOOK) {
                log::warn!("the engine is not heard: {error}");
                stop.pause(RETRY);
            }
        }
    }

    /// Does what there is to do now.
    ///
    /// # Errors
    ///
    /// When the engine fails.
    pub fn round(&mut self) -> Result<(), EngineError> {
        self.engine.expire()?;
        self.renew_plugins()?;
        while self.sign()? {}
        while self.judge()? {}
        Ok(())
    }

    /// Takes in that plugins came, went or were replaced: their requests are configured anew.
    fn renew_plugins(&mut self) -> Result<(), EngineError> {
        let changes = self.live.wait(Duration::ZERO);
        if changes.is_empty() {
            return Ok(());
        }
        self.plugins = Plugins::new((self.make_hosts)(), self.live.read_catalog());
        for change in changes {
            if !matches!(change, Change::Added(_)) {
                self.engine.unsign(change.plugin().name())?;
            }
        }
        Ok(())
    }

    /// Gives some requests their signatures. Says whether there may be more.
    fn sign(&mut self) -> Result<bool, EngineError> {
        let unsigned = self.engine.unsigned(BATCH)?;
        for request in &unsigned {
            self.sign_one(request)?;
        }
        Ok(unsigned.len() == BATCH as usize)
    }

    fn sign_one(&mut self, request: &Unsigned) -> Result<(), EngineError> {
        // One plugin that hangs after another takes long, and is no fault of the scheduler's.
        self.part.beats();
        let configured = self
            .plugins
            .configure(request.task_name.as_str(), &request.task_data);
        let (code, message) = match configured {
            Ok(task) => {
                self.engine.sign(request.id, task.signature().as_str())?;
                return Ok(());
            }
            Err(Unmatchable::NotAsked(failure)) => {
                log::warn!("request {} is not looked at yet: {failure}", request.id);
                return Ok(());
            }
            Err(error @ Unmatchable::Invalid(_)) => {
                (ErrorCode::ConfigureFailed, error.reason().message)
            }
            Err(error) => (ErrorCode::SetupFailed, error.to_string()),
        };
        let error = OutcomeError {
            code,
            message,
            reasons: Vec::new(),
        };
        self.engine.refuse(request.id, &[error])?;
        Ok(())
    }

    /// Gives some of the verdicts that nobody has given. Says whether there may be more.
    fn judge(&mut self) -> Result<bool, EngineError> {
        let missing = self.engine.missing_verdicts(BATCH)?;
        let mut verdicts = Vec::new();
        for pair in &missing {
            if let Some(verdict) = self.verdict(pair)? {
                verdicts.push(NewVerdict {
                    signature: pair.signature.clone(),
                    metadata_hash: pair.metadata_hash.clone(),
                    verdict,
                });
            }
        }
        let recorded = self.engine.record_verdicts(&verdicts)?;
        // Where none could be given, they are all still missing.
        Ok(recorded > 0 && missing.len() == BATCH as usize)
    }

    fn verdict(&mut self, missing: &MissingVerdict) -> Result<Option<Verdict>, EngineError> {
        self.part.beats();
        let task = match self.plugins.known(&missing.signature) {
            Some(task) => Ok(task.clone()),
            // Another scheduler has signed it, or this one before it was started anew.
            None => self.configure_example(missing)?,
        };
        let task = match task {
            Ok(task) => task,
            Err(verdict) => return Ok(verdict),
        };
        match verdict(&task, &missing.metadata, &mut self.plugins) {
            Ok(verdict) => Ok(Some(verdict)),
            Err(error) => {
                log::warn!("no verdict for `{}`: {error}", missing.task_name);
                Ok(None)
            }
        }
    }

    /// Configures a request with a signature that is not known here. Where that is not to be had, the verdict that stands in
    /// its place, or none for now.
    fn configure_example(
        &mut self,
        missing: &MissingVerdict,
    ) -> Result<Result<Matchable, Option<Verdict>>, EngineError> {
        let example = self.engine.request(missing.example)?;
        let task = missing.task_name.as_str();
        Ok(match self.plugins.configure(task, &example.task_data) {
            Ok(task) if task.signature().as_str() == missing.signature => Ok(task),
            Ok(_) => {
                // The plugin is another one by now.
                self.engine.unsign(&missing.task_name)?;
                Err(None)
            }
            Err(Unmatchable::NotAsked(failure)) => {
                log::warn!("no verdict for `{task}`: {failure}");
                Err(None)
            }
            Err(error) => Err(Some(Verdict {
                reasons: vec![error.reason()],
            })),
        })
    }
}
