//! The queue in a database: claiming and completing, with as much waiting behind as there may be, and reading all of it.
//!
//! A worker here is a thread with an engine of its own, and so are the bare client's. On PostgreSQL that one sends the two
//! calls that the engine sends, each by itself; on SQLite two transactions of as many writing statements as the engine's, that
//! look at no verdicts, lists or leases. Both flush each commit. A sample is the time for each request, of 48.
//! What was done is topped up between samples, and twenty signatures wait, of which five fit nobody.

use crate::{
    backlog::{KINDS, fleet},
    database::{Client, Connection, Place},
    fixture::Fixture,
    goal::Goal,
    measure::{in_turn, once},
    report::Row,
};
use anyhow::{Context as _, Result, ensure};
use sqlx::Row as _;
use std::{cell::RefCell, fs, sync::Arc, sync::Barrier, thread, time::Duration, time::Instant};
use taskbay_core::{Metadata, Outcome, Reason, ReasonCode, TaskName, Verdict};
use taskbay_engine::{Engine, NewRequest, NewVerdict, Report, open};
use taskbay_scheduler::{Conditional, Pending, Scheduler, SignatureId};

const ROUNDS: usize = 5;
/// The same where backlogs are compared: of many workers each has few requests in a sample, and whose turn it is, is chance.
const MANY_ROUNDS: usize = 25;
/// How many requests a sample is of: fewer than wait at the least.
const SAMPLE: usize = 48;
const WORKERS: [usize; 3] = [1, 4, 16];
const BACKLOGS: [u32; 3] = [100, 10_000, 1_000_000];
const SIGNATURES: u32 = 20;
const UNFIT: u32 = 5;
const LEASE: Duration = Duration::from_mins(10);
/// The goals.
const SQLITE: f64 = 2.0;
const POSTGRES: f64 = 1.5;
const FLAT: f64 = 1.1;
const READ: f64 = 1e9;

/// A database with requests that wait.
struct Queue {
    engines: Vec<Arc<dyn Engine>>,
    clients: Vec<RefCell<Client>>,
    hash: String,
}

pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Row>> {
    let folder = fixture.path("queue");
    fs::create_dir(&folder)?;
    let mut rows = of(&Place::Files(folder), SQLITE)?;
    if let Some(server) = Place::server()? {
        rows.extend(of(&server, POSTGRES)?);
    }
    Ok(rows)
}

fn of(place: &Place, goal: f64) -> Result<Vec<Row>> {
    let name = place.name();
    let queues = BACKLOGS
        .iter()
        .map(|backlog| Queue::filled(&place.create(&format!("{backlog}.db"))?, *backlog))
        .collect::<Result<Vec<_>>>()?;
    let [shortest, .., longest] = &queues[..] else {
        return Ok(Vec::new());
    };
    let mut rows = Vec::new();
    for workers in WORKERS {
        for (queue, backlog) in queues.iter().zip(BACKLOGS) {
            rows.push(Row::new(
                format!("{name}: claim and complete, {workers} workers, {backlog} pending"),
                "a bare client",
                in_turn(ROUNDS, || queue.work(workers), || queue.work_bare(workers))?,
                Goal::Ratio(goal),
            ));
        }
        rows.push(Row::new(
            format!("{name}: claim and complete, {workers} workers, 1,000,000 pending"),
            "100 pending",
            in_turn(
                MANY_ROUNDS,
                || longest.work(workers),
                || shortest.work(workers),
            )?,
            Goal::Ratio(FLAT),
        ));
    }
    rows.push(Row::new(
        format!("{name}: 1,000,000 pending read, and a first pass for 10,000 workers"),
        "10,000 pending",
        in_turn(2, || longest.read(), || queues[1].read())?,
        Goal::Nanoseconds(READ),
    ));
    Ok(rows)
}

impl Queue {
    fn filled(url: &str, backlog: u32) -> Result<Self> {
        let most = WORKERS.into_iter().max().unwrap_or(1);
        let mut engines: Vec<Arc<dyn Engine>> = Vec::new();
        let mut hash = String::new();
        for number in 0..most {
            let engine = open(url)?;
            let report = Report {
                name: format!("w{number}"),
                instance: 1,
                slots: 1,
                metadata: Metadata::default(),
            };
            hash = engine.report(&report)?.metadata_hash;
            engines.push(engine);
        }
        let clients = (0..most)
            .map(|_| Client::connect(url).map(RefCell::new))
            .collect::<Result<_>>()?;
        let queue = Self {
            engines,
            clients,
            hash,
        };
        queue.sign()?;
        queue.top_up(backlog, 0)?;
        let mut client = queue.clients[0].borrow_mut();
        let settle = client.pick("analyze", "vacuum analyze taskbay.requests");
        client.execute(settle)?;
        drop(client);
        Ok(queue)
    }

    /// A request of each signature, and its verdict.
    fn sign(&self) -> Result<()> {
        let engine = &self.engines[0];
        let refused = Reason::new(ReasonCode::Refused, "no");
        for number in 0..SIGNATURES {
            let id = engine.submit(&NewRequest::new(TaskName::fold("noop")?, "{}"))?;
            let signature = format!("signature {number}");
            engine.sign(id, &signature)?;
            let reasons = (number < UNFIT).then(|| refused.clone());
            let verdict = NewVerdict {
                signature,
                metadata_hash: self.hash.clone(),
                verdict: Verdict {
                    reasons: reasons.into_iter().collect(),
                },
            };
            engine.record_verdicts(&[verdict])?;
        }
        Ok(())
    }

    /// With so many signatures left out.
    fn top_up(&self, count: u32, without: u32) -> Result<()> {
        let mut client = self.clients[0].borrow_mut();
        let numbers = format!(
            "{} {count}{}",
            client.pick(
                "(with recursive n (n) as (select 1 union all select n + 1 from n where n <",
                "generate_series(1,"
            ),
            client.pick(") select n from n) n", ") n"),
        );
        client.execute(&format!(
            "insert into requests (task_name, task_data, priority, created_at, max_attempts, signature_id)
            select 'noop', '{{}}', 0, 0, 3, {without} + 1 + n % ({SIGNATURES} - {without}) from {numbers}"
        ))
    }

    /// Has so many workers do what there is.
    fn work(&self, workers: usize) -> Result<f64> {
        let done = Outcome::of(Ok(true));
        let sample = at_once((0..workers).map(|number| {
            let (engine, done) = (&self.engines[number], &done);
            let name = format!("w{number}");
            move || {
                let claim = engine.claim(&name, LEASE)?.context("nothing is pending")?;
                Ok(engine.complete(&claim.lease, done)?)
            }
        }))?;
        self.topped_up(sample)
    }

    fn work_bare(&self, workers: usize) -> Result<f64> {
        let mut clients: Vec<_> = self.clients[..workers]
            .iter()
            .map(RefCell::borrow_mut)
            .collect();
        let sample = at_once(clients.iter_mut().enumerate().map(|(number, client)| {
            let client: &mut Client = client;
            let name = format!("w{number}");
            move || client.claim_and_complete(&name)
        }))?;
        drop(clients);
        self.topped_up(sample)
    }

    fn topped_up(&self, sample: f64) -> Result<f64> {
        self.top_up(u32::try_from(SAMPLE)?, UNFIT)?;
        Ok(sample)
    }

    /// Reads what is pending, and has a new scheduler give out what it can: all that there is to do before the first
    /// request begins, but for configuring one of each signature.
    fn read(&self) -> Result<f64> {
        let (mut scheduler, signatures) = fleet(10_000, SIGNATURES, KINDS)?;
        once(|| {
            self.clients[0]
                .borrow_mut()
                .read(&mut scheduler, &signatures)?;
            Ok(scheduler.pass(&mut Conditional)?)
        })
    }
}

/// How long each of a sample takes, when all share in it at once.
fn at_once<W>(works: impl Iterator<Item = W>) -> Result<f64>
where
    W: FnMut() -> Result<()> + Send,
{
    let works: Vec<W> = works.collect();
    let each = SAMPLE / works.len();
    let ready = Barrier::new(works.len() + 1);
    let took = thread::scope(|scope| {
        let threads: Vec<_> = works
            .into_iter()
            .map(|mut work| {
                let ready = &ready;
                scope.spawn(move || {
                    ready.wait();
                    (0..each).try_for_each(|_| work())
                })
            })
            .collect();
        ready.wait();
        let begun = Instant::now();
        for thread in threads {
            let ended = thread.join();
            ended.map_err(|_| anyhow::anyhow!("a worker panicked"))??;
        }
        anyhow::Ok(begun.elapsed())
    })?;
    Ok(took.as_secs_f64() * 1e9 / f64::from(u32::try_from(SAMPLE)?))
}

impl Client {
    fn claim_and_complete(&mut self, worker: &str) -> Result<()> {
        let Self {
            runtime,
            connection,
        } = self;
        runtime.block_on(async {
            match connection {
                Connection::Postgres(connection) => {
                    let claim = "select request_id, attempt, fence from taskbay.claim($1, $2)";
                    let row = sqlx::query(claim)
                        .bind(worker)
                        .bind(600_000_i64)
                        .fetch_one(&mut *connection)
                        .await?;
                    sqlx::query("select taskbay.complete($1, $2, $3, 'success', '[]')")
                        .bind(row.try_get::<i64, _>(0)?)
                        .bind(row.try_get::<i64, _>(1)?)
                        .bind(row.try_get::<i64, _>(2)?)
                        .execute(connection)
                        .await?;
                }
                Connection::Sqlite(connection) => {
                    let take = "
                        update requests set status = 'running', attempts = attempts + 1, fence = fence + 1
                        where id = (
                            select id from requests where signature_id > $1 and status = 'pending'
                            order by signature_id, priority desc, id limit 1
                        )
                        returning id, attempts, fence";
                    let begin = "
                        insert into attempts (request_id, n, worker, fence, started_at, lease_until, lease_ms)
                        values ($1, $2, $3, $4, 0, 0, 0)";
                    sqlx::query("begin immediate").execute(&mut *connection).await?;
                    let row = sqlx::query(take)
                        .bind(i64::from(UNFIT))
                        .fetch_one(&mut *connection)
                        .await?;
                    let (id, attempt): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
                    sqlx::query(begin)
                        .bind(id)
                        .bind(attempt)
                        .bind(worker)
                        .bind(row.try_get::<i64, _>(2)?)
                        .execute(&mut *connection)
                        .await?;
                    sqlx::query("commit").execute(&mut *connection).await?;
                    sqlx::query("begin immediate").execute(&mut *connection).await?;
                    sqlx::query("update attempts set ended_at = 1, outcome = 'success' where request_id = $1 and n = $2")
                        .bind(id)
                        .bind(attempt)
                        .execute(&mut *connection)
                        .await?;
                    sqlx::query("update requests set status = 'completed', result = 'success', completed_at = 1 where id = $1")
                        .bind(id)
                        .execute(&mut *connection)
                        .await?;
                    sqlx::query("commit").execute(&mut *connection).await?;
                }
            }
            Ok(())
        })
    }

    /// All that is pending, by signature and priority.
    fn read(&mut self, scheduler: &mut Scheduler, signatures: &[SignatureId]) -> Result<()> {
        let sql = self.pick(
            "select signature_id, priority, group_concat(id) from requests where status = 'pending' group by signature_id, priority",
            "select signature_id, priority, string_agg(id::text, ',') from requests where status = 'pending'
            group by signature_id, priority",
        );
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let Self {
            runtime,
            connection,
        } = self;
        let rows: Vec<(i64, i64, String)> = runtime.block_on(async {
            match connection {
                Connection::Sqlite(connection) => sqlx::query_as(sql).fetch_all(connection).await,
                Connection::Postgres(connection) => sqlx::query_as(sql).fetch_all(connection).await,
            }
        })?;
        let mut count = 0;
        for (signature, priority, numbers) in rows {
            let at = usize::try_from(signature)?.checked_sub(1);
            let signature = at.and_then(|at| signatures.get(at));
            let signature = *signature.context("a signature is not known")?;
            let priority = i32::try_from(priority)?;
            let pending = numbers.split(',').filter_map(|number| {
                let request = number.parse().ok()?;
                Some(Pending {
                    priority,
                    created: i64::try_from(request).ok()?,
                    request,
                })
            });
            scheduler.add(signature, pending.inspect(|_| count += 1));
        }
        ensure!(count >= 10_000, "only {count} were read");
        Ok(())
    }
}
