//! The whole way of a request, from being submitted to its recorded result, and what a worker costs that has nothing to do.
//!
//! `taskbay serve` runs as a process of its own, with the plugins that ship. Requests of noop are submitted through the
//! engine, and looked at each millisecond until all are completed; a sample is the time for each.

use crate::{
    database::Place,
    fixture::Fixture,
    goal::Goal,
    measure::{in_turn, once},
    report::Row,
};
use anyhow::{Context as _, Result, ensure};
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use taskbay_core::{OutcomeResult, TaskName};
use taskbay_engine::{Engine, NewRequest, Status, open};

const ROUNDS: usize = 20;
const STARTS: usize = 10;
const LONGEST: Duration = Duration::from_mins(1);

pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Row>> {
    let folder = fixture.path("service");
    fs::create_dir(&folder)?;
    let mut places = vec![Place::Files(folder)];
    places.extend(Place::server()?);
    let mut rows = Vec::new();
    for place in &places {
        let name = place.name();
        for slots in [1_u32, 8] {
            let service = Service::start(
                fixture,
                "serve",
                &place.create(&format!("{slots}.db"))?,
                slots,
            )?;
            let pair = in_turn(ROUNDS, || service.work(slots), start_true)?;
            rows.push(Row::new(
                format!("{name}: noop from submit to recorded result, {slots} slots: of each"),
                "/bin/true",
                pair,
                Goal::None,
            ));
        }
        let url = place.create("idle.db")?;
        let pair = in_turn(
            STARTS,
            || once(|| Service::start(fixture, "worker", &url, 1)),
            start_true,
        )?;
        rows.push(Row::new(
            format!("{name}: start of a worker until it offers its tasks"),
            "/bin/true",
            pair,
            Goal::None,
        ));
        let worker = Service::start(fixture, "worker", &url, 1)?;
        for (what, keys) in [
            ("private memory", &["Private_Clean:", "Private_Dirty:"][..]),
            ("share of all memory", &["Pss:"]),
            ("resident memory", &["Rss:"]),
        ] {
            let mut cat = Command::new("cat")
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()?;
            let pair = in_turn(3, || worker.memory(keys), || memory(cat.id(), keys))?;
            drop(cat.stdin.take());
            cat.wait()?;
            let what =
                format!("{name}: {what} of a worker that has nothing to do, with its children");
            rows.push(Row::new(what, "`cat`", pair, Goal::None).in_bytes());
        }
    }
    Ok(rows)
}

/// A process of `taskbay`, and the engine that it works on.
struct Service {
    child: Child,
    /// Nobody reads more of it, but it stays open.
    _output: BufReader<ChildStdout>,
    engine: Arc<dyn Engine>,
}

impl Service {
    /// Starts it, and waits until it offers its tasks.
    fn start(fixture: &Fixture, command: &str, url: &str, slots: u32) -> Result<Self> {
        let engine = open(url)?;
        let mut child = Command::new(fixture.program())
            .arg("--plugin-dir")
            .arg(fixture.shipped())
            .args([command, "--name", "bench", "--slots", &slots.to_string()])
            .env("TASKBAY_ENGINE", url)
            .current_dir(fixture.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = child.stdout.take().context("it has no output")?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        let read = output.read_line(&mut line);
        let service = Self {
            child,
            _output: output,
            engine,
        };
        read?;
        ensure!(line.contains("noop"), "the worker offers no noop: {line:?}");
        Ok(service)
    }

    /// So many requests at once.
    fn work(&self, count: u32) -> Result<f64> {
        let request = NewRequest::new(TaskName::fold("noop")?, "{}");
        let begun = Instant::now();
        let all = (0..count).map(|_| Ok(self.engine.submit(&request)?));
        for id in all.collect::<Result<Vec<_>>>()? {
            loop {
                let now = self.engine.request(id)?.request;
                if now.status == Status::Completed {
                    let result = now.result;
                    ensure!(
                        result == Some(OutcomeResult::Success),
                        "noop ended with {result:?}"
                    );
                    break;
                }
                ensure!(begun.elapsed() < LONGEST, "request {id} is not executed");
                thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(begun.elapsed().as_secs_f64() * 1e9 / f64::from(count))
    }

    /// What it and its children have of memory.
    fn memory(&self, keys: &[&str]) -> Result<f64> {
        let mut sum = 0.0;
        let mut processes = vec![self.child.id()];
        while let Some(process) = processes.pop() {
            sum += memory(process, keys)?;
            for thread in fs::read_dir(format!("/proc/{process}/task"))? {
                let children = fs::read_to_string(thread?.path().join("children"))?;
                processes.extend(
                    children
                        .split_whitespace()
                        .filter_map(|id| id.parse::<u32>().ok()),
                );
            }
        }
        Ok(sum)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has nothing to do any more. Plugin hosts end with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process has of memory, in bytes.
fn memory(process: u32, keys: &[&str]) -> Result<f64> {
    let mut text = String::new();
    fs::File::open(format!("/proc/{process}/smaps_rollup"))?.read_to_string(&mut text)?;
    let sizes = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        keys.contains(&words.next()?)
            .then(|| words.next()?.parse::<f64>().ok())?
    });
    Ok(sizes.sum::<f64>() * 1024.0)
}

fn start_true() -> Result<f64> {
    once(|| {
        let status = Command::new("/bin/true").status()?;
        ensure!(status.success(), "/bin/true ended with {status}");
        Ok(())
    })
}
