//! A plugin host as its parent holds it: a child process, the socket to it, and what it prints.

use crate::{
    AttemptLog,
    death::Death,
    host_log::pass_on,
    output::Output,
    protocol::{FromHost, ToHost},
    spawner::{self, Spawned},
    surroundings::Surroundings,
    tree,
    wire::Wire,
    witness::Glimpse,
    work_directory::Room,
};
use log::Level;
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    process::{Pid, set_child_subreaper},
};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use taskbay_core::ServerReply;
use taskbay_plugin_api::host::level_from_number;

/// How to start plugin hosts: a program that calls [`serve`](crate::serve) with what its arguments say.
#[derive(Clone, Debug)]
pub struct HostProgram {
    /// The program.
    pub program: PathBuf,
    /// Its first arguments; `--parent` and `--level` follow.
    pub arguments: Vec<OsString>,
    /// Whether this process starts no other children than plugin hosts, and adopts none (as the first process of a
    /// container would). Then what a crashed host leaves behind is found and killed even where it hides.
    pub has_only_hosts: bool,
    /// What they find around them.
    pub surroundings: Surroundings,
}

/// What comes from a host.
#[derive(Debug)]
pub(crate) enum Event {
    /// An answer or a call; log records are dealt with already.
    Message(FromHost),
    /// It ended.
    Died(Death),
    /// It said what no host says: plugin code wrote to the socket.
    Garbled(String),
    /// Nothing, up to the time given.
    Nothing,
}

/// A running plugin host.
#[derive(Debug)]
pub(crate) struct HostProcess {
    child: Spawned,
    wire: Wire,
    log: Option<Arc<dyn AttemptLog>>,
    /// How many records came from plugins.
    logged: usize,
    stdout: Output,
    stderr: Output,
    has_only_hosts: bool,
    /// Whether it said that it has no children, and was asked nothing since.
    is_childless: bool,
    /// Whether it has ended, and all that it left behind too.
    is_over: bool,
}

impl HostProcess {
    /// Starts one, in a room of its own where there is one.
    pub(crate) fn start(
        program: &HostProgram,
        output: Level,
        room: Option<&Room>,
    ) -> io::Result<Self> {
        // Orphans of a host that crashed come to this process, where they can be found.
        set_child_subreaper(Pid::from_raw(1))?;
        let (socket, theirs) = UnixStream::pair()?;
        let mut command = Command::new(&program.program);
        command
            .args(&program.arguments)
            .arg(format!("--parent={}", std::process::id()))
            .arg(format!("--level={}", program.surroundings.level()))
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .current_dir("/");
        program.surroundings.apply(&mut command);
        if let Some(room) = room {
            room.apply(&mut command);
        }
        let mut child = spawner::spawn(command)?;
        let streams = child.child();
        let (stdout, stderr) = (streams.stdout.take(), streams.stderr.take());
        Ok(Self {
            stdout: Output::new("stdout", output, stdout.map(Into::into))?,
            stderr: Output::new("stderr", output, stderr.map(Into::into))?,
            child,
            wire: Wire::new(socket),
            log: None,
            logged: 0,
            has_only_hosts: program.has_only_hosts,
            is_childless: false,
            is_over: false,
        })
    }

    pub(crate) fn pid(&self) -> Pid {
        self.child.pid()
    }

    /// From now on what it prints is that task's output, and logged as information; `log` gets that, and its records.
    pub(crate) fn becomes_attempt_of(&mut self, task: &str, log: Option<&Arc<dyn AttemptLog>>) {
        self.stdout.becomes_output_of(task, log);
        self.stderr.becomes_output_of(task, log);
        self.log = log.map(Arc::clone);
    }

    /// What it is like now, with that environment.
    pub(crate) fn glimpse(&mut self, environment: BTreeMap<String, String>) -> Glimpse {
        self.stdout.finish();
        self.stderr.finish();
        Glimpse {
            pid: self.pid(),
            environment,
            logged: self.logged,
            printed: self.stdout.lines() + self.stderr.lines(),
            last_printed: [self.stdout.tail(), self.stderr.tail()].concat(),
        }
    }

    /// Sends a message; what the host does not take at once, [`next`](Self::next) sends.
    ///
    /// # Errors
    ///
    /// When it is too large to be sent. That the host does not take it is no error here: the next event tells.
    pub(crate) fn send(&mut self, message: &ToHost) -> io::Result<()> {
        self.is_childless = false;
        self.wire.send(message)
    }

    /// Answers a call of the host; one with an error where the answer cannot be sent.
    pub(crate) fn reply(&mut self, call: u64, reply: Result<ServerReply, String>) {
        if let Err(error) = self.send(&ToHost::Reply { call, reply }) {
            let reply = Err(format!("the server's answer cannot be sent: {error}"));
            // This one is short.
            let _ = self.send(&ToHost::Reply { call, reply });
        }
    }

    /// Waits for the next event, and passes on what the host logs and prints meanwhile; both never longer than `until`,
    /// however much it says.
    pub(crate) fn next(&mut self, until: Instant) -> io::Result<Event> {
        loop {
            let message = match self.wire.take() {
                Ok(message) => message,
                Err(error) => return Ok(Event::Garbled(error.to_string())),
            };
            if let Some(message) = message {
                match message {
                    FromHost::Log(line) => {
                        self.logged += usize::from(line.task.is_some());
                        pass_on(&line);
                        if let Some(log) = &self.log {
                            let level = level_from_number(line.level);
                            log.logged(level, &line.target, &line.message);
                        }
                    }
                    message => {
                        if let FromHost::Answer { childless, .. } = message {
                            self.is_childless = childless;
                        }
                        return Ok(Event::Message(message));
                    }
                }
                if Instant::now() >= until {
                    return Ok(Event::Nothing);
                }
                continue;
            }
            let ready = self.poll(until)?;
            if matches!(ready, Ready::Ended) {
                self.wire.has_lost_host();
            }
            let has_more = self.read()?;
            match ready {
                // What it said last is dealt with first; half a frame will never be whole.
                Ready::Ended if !has_more && !self.wire.holds_message() => {
                    return self.died().map(Event::Died);
                }
                _ if Instant::now() >= until => return Ok(Event::Nothing),
                _ => {}
            }
        }
    }

    fn poll(&self, until: Instant) -> io::Result<Ready> {
        let mut sources = vec![
            PollFd::new(self.child.handle(), PollFlags::IN),
            self.wire.poll(),
        ];
        let outputs = [&self.stdout, &self.stderr];
        sources.extend(outputs.iter().filter_map(|output| output.poll()));
        let wait = until.saturating_duration_since(Instant::now());
        let wait = wait.try_into().map_err(io::Error::other)?;
        match poll(&mut sources, Some(&wait)) {
            Ok(0) | Err(Errno::INTR) => return Ok(Ready::Nothing),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(if sources[0].revents().is_empty() {
            Ready::Something
        } else {
            Ready::Ended
        })
    }

    /// Takes in some of what is there, without waiting. Says whether the socket may hold more.
    fn read(&mut self) -> io::Result<bool> {
        self.stdout.read();
        self.stderr.read();
        self.wire.exchange()
    }

    fn died(&mut self) -> io::Result<Death> {
        let status = self.child.wait()?;
        // What it printed last; what it left behind is ended by whoever knows how much grace that has.
        self.stdout.finish();
        self.stderr.finish();
        Ok(Death {
            status,
            stderr: self.stderr.tail(),
        })
    }

    /// Ends the host and all its descendants, who get `grace` between TERM and KILL. Says which of them survived.
    pub(crate) fn end(&mut self, grace: Duration) -> Vec<tree::Survivor> {
        if self.is_over {
            return Vec::new();
        }
        self.is_over = true;
        let pid = self.pid();
        let mut survivors = Vec::new();
        let is_running = self.child.is_running();
        if is_running {
            // Where what it leaves is found, it is believed.
            let is_alone = self.is_childless && self.has_only_hosts;
            if !is_alone && tree::has_children(pid) {
                survivors = tree::end(pid, false, grace).survivors;
            }
            // The host itself is killed last, since its descendants' orphans come to it.
            if !self.child.kill() {
                survivors.extend(tree::Survivor::of(pid));
            }
        }
        if self.has_only_hosts && spawner::has_orphans() {
            // Where it ended before its descendants were, these are its own. Else there are none but what escaped just
            // now, and those that another left, whose grace nobody here shall wait for.
            let grace = if is_running { Duration::ZERO } else { grace };
            survivors.extend(spawner::end_orphans(grace).survivors);
        }
        let _ = self.read();
        self.stdout.finish();
        self.stderr.finish();
        survivors
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

/// What a wait was ended by.
enum Ready {
    Ended,
    Something,
    Nothing,
}
