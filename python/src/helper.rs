//! The process that is asked: `taskbay answer`, a line for a line.

use crate::pipe::Pipe;
use std::{
    collections::VecDeque,
    ffi::OsString,
    io::{self, BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

/// How long a helper that was killed is waited for.
const ENDING: Duration = Duration::from_secs(1);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(5);

/// How to start it.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) path: OsString,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, OsString)>,
}

/// Why it gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HelperError {
    #[error("`{program}` cannot be started: {error}; is the package taskbay installed?")]
    NotStarted { program: String, error: io::Error },
    #[error("`taskbay answer` has ended ({0}); what it wrote to standard error may say why")]
    Ended(String),
    #[error("`taskbay answer` gave no answer within {} s", .0.as_secs_f64())]
    Hung(Duration),
    #[error("others were asking `taskbay answer`, and there was no answer within {} s", .0.as_secs_f64())]
    Busy(Duration),
}

/// A helper that runs. It is killed when it is dropped, with all plugin hosts: those notice.
#[derive(Debug)]
pub(crate) struct Helper {
    child: Child,
    questions: Sender<String>,
    answers: Receiver<io::Result<String>>,
    /// When it was asked what it has not answered yet. Only the last of it is still waited for.
    asked: VecDeque<Instant>,
}

impl Helper {
    pub(crate) fn start(program: &Program) -> Result<Self, HelperError> {
        Self::try_start(program).map_err(|error| HelperError::NotStarted {
            program: program.path.to_string_lossy().into_owned(),
            error,
        })
    }

    fn try_start(program: &Program) -> io::Result<Self> {
        let mut child = Command::new(&program.path)
            .args(&program.arguments)
            .envs(
                program
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            // What a terminal tells its foreground is not for it: it ends with its standard input.
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (asked, questions) = mpsc::channel();
        let (answered, answers) = mpsc::channel();
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("it has no standard streams"));
        };
        let stdin = Pipe::new(stdin);
        let talk = move || talk(stdin, stdout, &questions, &answered);
        let named = thread::Builder::new().name("taskbay".to_owned());
        if let Err(error) = named.spawn(talk) {
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
        Ok(Self {
            child,
            questions: asked,
            answers,
            asked: VecDeque::new(),
        })
    }

    /// Puts a question, a line without its end, and waits for the answer until then, or, where that is not said, for as long as
    /// the limit. A helper that takes longer than the limit hangs; that and one that has ended are not to be asked again.
    pub(crate) fn ask(
        &mut self,
        question: String,
        until: Option<Instant>,
        limit: Duration,
    ) -> Result<String, HelperError> {
        if self.questions.send(question).is_err() {
            return Err(self.ended(None));
        }
        self.asked.push_back(Instant::now());
        while let Some(first) = self.asked.front() {
            let hangs_at = *first + limit;
            let wait = until.map_or(hangs_at, |until| until.min(hangs_at));
            let wait = wait.saturating_duration_since(Instant::now());
            match self.answers.recv_timeout(wait) {
                Ok(Ok(answer)) => {
                    self.asked.pop_front();
                    if self.asked.is_empty() {
                        return Ok(answer);
                    }
                }
                Ok(Err(error)) => return Err(self.ended(Some(&error))),
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended(None)),
                Err(RecvTimeoutError::Timeout) if hangs_at <= Instant::now() => {
                    return Err(HelperError::Hung(limit));
                }
                Err(RecvTimeoutError::Timeout) => return Err(HelperError::Busy(limit)),
            }
        }
        Err(self.ended(None))
    }

    /// Whether it still owes an answer to somebody who waits no longer.
    pub(crate) fn is_behind(&mut self) -> bool {
        while !self.asked.is_empty() && matches!(self.answers.try_recv(), Ok(Ok(_))) {
            self.asked.pop_front();
        }
        !self.asked.is_empty()
    }

    /// Kills it. One that cannot end now, as when its disk is gone, is waited for by nobody.
    fn end(&mut self) -> Option<ExitStatus> {
        let _ = self.child.kill();
        let until = Instant::now() + ENDING;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            if Instant::now() >= until {
                return None;
            }
            thread::sleep(LOOK);
        }
    }

    fn ended(&mut self, error: Option<&io::Error>) -> HelperError {
        // Whoever closed its output ends now, or is ended.
        let status = self.end();
        let status = status.map_or("it does not end".to_owned(), |status| status.to_string());
        HelperError::Ended(match error {
            Some(error) => format!("{status}: {error}"),
            None => status,
        })
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.end();
    }
}

/// Writes each question and reads its answer, in a thread of its own: a pipe can be waited for only so. It ends with the
/// helper, or with whoever asks.
fn talk(
    mut stdin: Pipe,
    stdout: ChildStdout,
    questions: &Receiver<String>,
    answered: &Sender<io::Result<String>>,
) {
    let mut stdout = BufReader::new(stdout);
    while let Ok(mut question) = questions.recv() {
        question.push('\n');
        let mut answer = String::new();
        let read = stdin
            .write_all(question.as_bytes())
            .and_then(|()| stdout.read_line(&mut answer));
        let answer = match read {
            Ok(_) if answer.ends_with('\n') => Ok(answer),
            Ok(_) => return,
            Err(error) => Err(error),
        };
        let has_failed = answer.is_err();
        if answered.send(answer).is_err() || has_failed {
            return;
        }
    }
}
