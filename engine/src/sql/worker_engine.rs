//! A worker's side of the engine on a database.

use super::{SqlEngine, json, logs, word, workers};
use crate::{
    Claim, EngineError, Lease, NewLogLine, Renewal, Report, Seen, Standing, WorkerEngine, limits,
    postgres, sqlite, timestamp::millis,
};
use std::time::Duration;
use taskbay_core::Outcome;

impl WorkerEngine for SqlEngine {
    fn place(&self) -> &str {
        self.place.as_str()
    }

    fn report(&self, report: &Report) -> Result<Standing, EngineError> {
        limits::check_name("worker's name", &report.name)?;
        let metadata = workers::document(&report.metadata)?;
        let values = [
            (&report.name).into(),
            i64::from(report.slots).into(),
            (&metadata).into(),
            report.instance.cast_signed().into(),
        ];
        if self.is_postgres() {
            return self.ask(|| postgres::report(&self.database, values));
        }
        self.ask(|| sqlite::report(&self.database, &report.name, values))
    }

    fn claim(&self, worker: &str, lease: Duration) -> Result<Option<Claim>, EngineError> {
        let lease = limits::lease_length(lease)?;
        if self.is_postgres() {
            return self.ask(|| postgres::claim(&self.database, worker, lease));
        }
        self.ask(|| sqlite::claim(&self.database, worker, lease))
    }

    fn renew(&self, lease: &Lease, length: Duration) -> Result<Renewal, EngineError> {
        let length = limits::lease_length(length)?;
        if self.is_postgres() {
            return self.ask(|| postgres::renew(&self.database, lease, length));
        }
        self.ask(|| sqlite::renew(&self.database, lease, length))
    }

    fn is_abort_requested(&self, lease: &Lease) -> Result<bool, EngineError> {
        if self.is_postgres() {
            return self.ask(|| postgres::is_abort_requested(&self.database, lease));
        }
        self.ask(|| sqlite::is_abort_requested(&self.database, lease))
    }

    fn append_log(&self, lease: &Lease, lines: &[NewLogLine]) -> Result<(), EngineError> {
        let lines = logs::checked(lines)?;
        if self.is_postgres() {
            return self.ask(|| postgres::append_log(&self.database, lease, &lines));
        }
        self.ask(|| sqlite::append_log(&self.database, lease, &lines))
    }

    fn complete(&self, lease: &Lease, outcome: &Outcome) -> Result<(), EngineError> {
        let errors = json(&outcome.errors)?;
        limits::check_document("list of errors", &errors)?;
        let result = word(&outcome.result);
        if self.is_postgres() {
            return self.ask(|| postgres::complete(&self.database, lease, &result, &errors));
        }
        self.ask(|| sqlite::complete(&self.database, lease, &result, &errors))
    }

    fn release(&self, lease: &Lease, reason: &str, delay: Duration) -> Result<(), EngineError> {
        limits::check("reason", reason, limits::LONGEST_NAME)?;
        let (reason, delay) = (logs::without_nul(reason), millis(delay));
        if self.is_postgres() {
            return self.ask(|| postgres::release(&self.database, lease, &reason, delay));
        }
        self.ask(|| sqlite::release(&self.database, lease, &reason, delay))
    }

    fn wait(&self, seen: &mut Seen, timeout: Duration) -> Result<bool, EngineError> {
        Ok(self
            .watch
            .wait(self.runtime(), &self.database, seen, timeout))
    }
}
