//! The main function of a plugin host's process.

use crate::{
    confine::confine,
    plugin_host::PluginHost,
    protocol::{Answer, FromHost, LogLine, Question, ToHost, frame, read_frame},
    tree,
};
use log::{LevelFilter, Log, Record};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::fcntl_dupfd_cloexec,
    process::{
        Pid, Signal, getpid, getppid, kill_process, set_child_subreaper,
        set_parent_process_death_signal, setsid,
    },
    stdio::{dup2_stdin, stdin},
};
use signal_hook::{
    consts::SIGTERM,
    low_level::{emulate_default_handler, pipe::register},
};
use std::{
    collections::HashMap,
    env,
    fs::File,
    io::{self, Write},
    os::unix::net::UnixStream,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};
use taskbay_core::{Abort, Confinement, Server, ServerCall, ServerError, ServerReply};
use taskbay_plugin_api::host::Fault;

/// What a host is told when it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    /// The process that asks.
    pub parent: i32,
    /// Which log records are sent to it.
    pub level: LevelFilter,
    /// How much of the machine is kept from it, and from all that it starts: its current directory is its own.
    pub confinement: Confinement,
}

/// Answers the parent's questions, which come on standard input, until it closes it.
///
/// The process gets a session of its own, inherits the orphans among its descendants, and ends with all of them when its
/// parent does.
///
/// # Errors
///
/// When standard input is no socket of a parent, or the process cannot be confined.
pub fn serve(options: ServeOptions) -> io::Result<()> {
    let socket = take_socket()?;
    let abort = Abort::new();
    let terminated = isolate(options.parent)?;
    // Before there is another thread, or a plugin's code: what comes later is confined as this thread is.
    confine(options.confinement)?;
    let parent = Parent::new(socket.try_clone()?);
    // Fails only where a logger is set already, which then is whose it is.
    let _ = log::set_boxed_logger(Box::new(ParentLogger(Arc::clone(&parent))));
    log::set_max_level(options.level);

    let (asked, questions) = mpsc::channel();
    let listener = Arc::clone(&parent);
    let latch = abort.clone();
    thread::Builder::new()
        .name("listener".into())
        .spawn(move || listen(&listener, socket, &terminated, &asked, &latch))?;

    let mut host = PluginHost::new();
    let server: Arc<dyn Server> = Arc::clone(&parent) as _;
    for (nonce, question) in questions {
        if let Question::Execute { work_directory, .. } = &question {
            env::set_current_dir(work_directory)?;
        }
        let answer = host.answer(question, &abort, &server);
        parent.answer(nonce, answer)?;
    }
    Ok(())
}

/// Takes the socket off standard input, where neither plugins nor the commands that they call shall find it.
fn take_socket() -> io::Result<UnixStream> {
    let socket = fcntl_dupfd_cloexec(stdin(), 3)?;
    dup2_stdin(File::open("/dev/null")?)?;
    let socket = UnixStream::from(socket);
    socket.peer_addr()?;
    Ok(socket)
}

/// Makes this process the root of a tree of its own, which ends with the parent. Gives what becomes readable when this
/// process is told to end.
fn isolate(parent: i32) -> io::Result<UnixStream> {
    let (terminated, told) = UnixStream::pair()?;
    register(SIGTERM, told)?;
    // Where a service manager started us in a session of our own, there already is one.
    let _ = setsid();
    set_child_subreaper(Pid::from_raw(1))?;
    set_parent_process_death_signal(Some(Signal::TERM))?;
    // The parent may have ended before it could be watched.
    if getppid().is_none_or(|now| now.as_raw_nonzero().get() != parent) {
        end(None);
    }
    Ok(terminated)
}

/// Ends this process and all its descendants, by that signal if there is one.
fn end(signal: Option<i32>) {
    let this = getpid();
    if !tree::is_childless() {
        tree::end(this, false, Duration::ZERO);
    }
    if let Some(signal) = signal {
        let _ = emulate_default_handler(signal);
    }
    // Not by `exit`, which would run what plugins registered to be run then.
    let _ = kill_process(this, Signal::KILL);
}

/// Takes in what the parent says. The end of it is the end of the parent.
fn listen(
    parent: &Parent,
    mut socket: UnixStream,
    terminated: &UnixStream,
    asked: &mpsc::Sender<(u64, Question)>,
    abort: &Abort,
) {
    loop {
        if must_end(&socket, terminated) {
            return end(Some(SIGTERM));
        }
        match read_frame(&mut socket) {
            Ok(Some(ToHost::Ask { nonce, question })) => {
                let _ = asked.send((nonce, question));
            }
            Ok(Some(ToHost::Reply { call, reply })) => parent.reply(call, reply),
            Ok(Some(ToHost::Abort)) => abort.set(),
            Ok(None) | Err(_) => {
                abort.set();
                return end(None);
            }
        }
    }
}

/// Waits until the parent says something; or until this process is told to end, which is true then.
fn must_end(socket: &UnixStream, terminated: &UnixStream) -> bool {
    let mut sources = [
        PollFd::new(socket, PollFlags::IN),
        PollFd::new(terminated, PollFlags::IN),
    ];
    // Were the wait to fail, reading the socket waits as well.
    let _ = poll(&mut sources, None);
    !sources[1].revents().is_empty()
}

/// The way to the parent.
struct Parent {
    socket: Mutex<UnixStream>,
    waiting: Mutex<HashMap<u64, mpsc::Sender<Result<ServerReply, String>>>>,
    next: AtomicU64,
}

impl Parent {
    fn new(socket: UnixStream) -> Arc<Self> {
        Arc::new(Self {
            socket: Mutex::new(socket),
            waiting: Mutex::default(),
            next: AtomicU64::new(1),
        })
    }

    fn send(&self, message: &FromHost) -> io::Result<()> {
        self.write(&frame(message)?)
    }

    /// Sends an answer, or why it cannot be sent.
    fn answer(&self, nonce: u64, answer: Answer) -> io::Result<()> {
        let childless = tree::is_childless();
        let framed = |answer| {
            frame(&FromHost::Answer {
                nonce,
                answer,
                childless,
            })
        };
        let whole = framed(answer);
        let sendable = whole.or_else(|error| {
            let message = format!("its answer cannot be sent: {error}");
            framed(Answer::Failed(Fault::Failed { message }))
        })?;
        self.write(&sendable)
    }

    fn write(&self, frame: &[u8]) -> io::Result<()> {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        (&*socket).write_all(frame)
    }

    fn reply(&self, call: u64, reply: Result<ServerReply, String>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = waiting.remove(&call) {
            let _ = waiting.send(reply);
        }
    }
}

impl Server for Parent {
    fn call(&self, request: ServerCall) -> Result<ServerReply, ServerError> {
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        let (reply, replied) = mpsc::channel();
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(call, reply);
        self.send(&FromHost::Call { call, request })
            .map_err(|error| ServerError(error.to_string()))?;
        match replied.recv() {
            Ok(reply) => reply.map_err(ServerError),
            Err(_) => Err(ServerError("the host's parent ended".to_owned())),
        }
    }
}

/// Sends log records to the parent.
struct ParentLogger(Arc<Parent>);

impl Log for ParentLogger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let task = record.key_values().get("task".into());
        // With the parent gone there is nobody to tell, and this process is about to end.
        let _ = self.0.send(&FromHost::Log(LogLine {
            level: taskbay_plugin_api::host::level_number(record.level()),
            target: record.target().to_owned(),
            file: record.file().map(ToOwned::to_owned),
            line: record.line(),
            task: task.map(|task| task.to_string()),
            message: record.args().to_string(),
        }));
    }

    fn flush(&self) {}
}
