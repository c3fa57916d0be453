//! Attempts: what it costs to execute a task that does nothing in a process of its own, against starting `/bin/true` in
//! the same way.

use crate::{
    fixture::{Fixture, admissible},
    goal::Goal,
    measure::{in_turn, once},
    report::Row,
};
use anyhow::{Context as _, Result, ensure};
use std::{
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};
use taskbay_core::{Abort, NoServer, Outcome, OutcomeResult, Server};
use taskbay_worker::{AttemptOptions, HostProgram, Hosts};

const ROUNDS: usize = 150;

pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Row>> {
    let spawner = Spawner::start();
    Ok(vec![
        attempt(fixture, &spawner)?,
        whole_run(fixture, &spawner)?,
    ])
}

/// One attempt in a new process, by a parent that has checked the plugin and the data.
fn attempt(fixture: &Fixture, spawner: &Spawner) -> Result<Row> {
    let file = admissible(&fixture.shipped().join("libtaskbay_task_noop.so"))?;
    let program = HostProgram {
        program: fixture.program(),
        arguments: vec!["plugin-host".into()],
        has_only_hosts: true,
        surroundings: taskbay_worker::Surroundings::default(),
    };
    let mut hosts = Hosts::new(program, Duration::from_secs(10), Abort::new());
    let configured = hosts.configure(&file, "{}")?;
    let server: Arc<dyn Server> = Arc::new(NoServer);
    let options = AttemptOptions {
        timeout: None,
        grace: Duration::ZERO,
        keep: false,
        log: None,
    };
    let pair = in_turn(
        ROUNDS,
        || {
            once(|| {
                succeeded(
                    &hosts
                        .execute(&file, &configured, &server, &options)?
                        .outcome,
                )
            })
        },
        || once(|| spawner.run(Command::new("/bin/true"))),
    )?;
    Ok(Row::new(
        "attempt of noop in a new process, the parent having checked it",
        "/bin/true started the same way",
        pair,
        Goal::Ratio(3.0),
    ))
}

/// `taskbay run noop '{}'`: arguments, search, configuration, verdict, attempt.
fn whole_run(fixture: &Fixture, spawner: &Spawner) -> Result<Row> {
    let run = || {
        let mut command = Command::new(fixture.program());
        command
            .arg("--plugin-dir")
            .arg(fixture.shipped())
            .args(["run", "noop", "{}"])
            .current_dir(fixture.path(""));
        command
    };
    let pair = in_turn(
        ROUNDS,
        || once(|| spawner.run(run())),
        || once(|| spawner.run(Command::new("/bin/true"))),
    )?;
    Ok(Row::new(
        "`taskbay run noop '{}'`, four plugins being there",
        "/bin/true started the same way",
        pair,
        Goal::Ratio(6.5),
    ))
}

fn succeeded(outcome: &Outcome) -> Result<()> {
    ensure!(
        outcome.result == OutcomeResult::Success,
        "noop did not succeed: {outcome:?}"
    );
    Ok(())
}

/// A thread that starts processes, as the worker has one.
struct Spawner(mpsc::Sender<(Command, mpsc::Sender<std::io::Result<Child>>)>);

impl Spawner {
    fn start() -> Self {
        let (jobs, received) = mpsc::channel::<(Command, mpsc::Sender<_>)>();
        thread::spawn(move || {
            for (mut command, started) in received {
                let _ = started.send(command.spawn());
            }
        });
        Self(jobs)
    }

    /// Runs `command` to its end.
    fn run(&self, mut command: Command) -> Result<()> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let (started, answer) = mpsc::channel();
        self.0
            .send((command, started))
            .ok()
            .context("the thread that starts processes is gone")?;
        let status = answer.recv()??.wait()?;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }
}
