//! What Python code has to ask with.

use crate::{
    Busy, NotAsked,
    helper::{Helper, HelperError, Program},
    question::{Document, Question},
    reply,
    turns::{Turn, Turns},
};
use pyo3::{exceptions::PyValueError, prelude::*};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// Asks task plugins. Documents are JSON texts where they are given, and objects where they are answers.
///
/// The process that is asked is started at the first question, and anew where it died. Threads ask one after the other.
#[pyclass(module = "taskbay", frozen)]
#[derive(Debug)]
pub(crate) struct Matcher {
    program: Program,
    /// How long an answer may take, and the wait for who asks before. A plugin that hangs is given up earlier, by the helper.
    limit: Duration,
    turns: Turns,
}

#[pymethods]
impl Matcher {
    /// `program` is the command `taskbay`; `plugin_dirs` are looked for plugins before the usual directories; a plugin has
    /// `plugin_timeout` seconds to answer, and who asks waits `limit` seconds, in which other threads may have their turns;
    /// `cache` is where the helper keeps private copies.
    #[new]
    #[pyo3(signature = (*, program = PathBuf::from("taskbay"), plugin_dirs = Vec::new(), plugin_timeout = 10.0, limit = 60.0, cache = None))]
    fn new(
        program: PathBuf,
        plugin_dirs: Vec<PathBuf>,
        plugin_timeout: f64,
        limit: f64,
        cache: Option<PathBuf>,
    ) -> PyResult<Self> {
        let seconds = |value: f64| {
            let time = Duration::try_from_secs_f64(value).ok();
            let time = time.filter(|time| !time.is_zero());
            time.ok_or_else(|| PyValueError::new_err(format!("{value} s is no time to wait")))
        };
        let timeout = seconds(plugin_timeout)?.as_millis().max(1);
        let mut arguments = vec![format!("--plugin-timeout={timeout}ms").into()];
        for directory in plugin_dirs {
            arguments.push("--plugin-dir".into());
            arguments.push(directory.into());
        }
        arguments.push("answer".into());
        let cache = cache.map(|cache| ("TASKBAY_CACHE_DIR".into(), cache.into()));
        Ok(Self {
            limit: seconds(limit)?,
            turns: Turns::new(),
            program: Program {
                path: program.into(),
                arguments,
                environment: cache.into_iter().collect(),
            },
        })
    }

    /// The plugin files and their `generation`, which changes whenever they do; without `tasks` where `known` is that
    /// generation. None where `wait` is false and another thread is asking.
    #[pyo3(signature = (known = None, *, wait = true))]
    fn tasks<'py>(
        &self,
        py: Python<'py>,
        known: Option<u64>,
        wait: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let question = Question::Tasks { known }.line()?;
        let turn = if wait { None } else { self.turn_at_once(py) };
        if !(wait || turn.is_some()) {
            return Ok(None);
        }
        let line = self.ask(py, turn, &question)?;
        reply::object(py, &line).map(Some)
    }

    /// The task's version, and the JSON Schema of its data.
    fn schema<'py>(&self, py: Python<'py>, task: &str) -> PyResult<Bound<'py, PyAny>> {
        self.answer(py, &Question::Schema { task })
    }

    /// What the task makes of data that is valid: `version`, `data` with its defaults, `requirements`, `label`.
    fn configure<'py>(
        &self,
        py: Python<'py>,
        task: &str,
        data: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let data = Document::read("data", data)?;
        self.answer(py, &Question::Configure { task, data })
    }

    /// The reasons why a worker may not execute the task with that data; none for yes.
    fn can_run_on<'py>(
        &self,
        py: Python<'py>,
        task: &str,
        data: &str,
        metadata: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let question = Question::CanRun {
            task,
            data: Document::read("data", data)?,
            worker: Document::read("metadata", metadata)?,
        };
        self.answer(py, &question)?.get_item("reasons")
    }

    /// Who of the workers could execute the task with that data, who could not, and why not. Each has a `name` and
    /// `metadata`, and may have `busy`, `allow`, `deny` and `away`.
    fn explain<'py>(
        &self,
        py: Python<'py>,
        task: &str,
        data: &str,
        workers: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let question = Question::Explain {
            task,
            data: Document::read("data", data)?,
            workers: Document::read("workers", workers)?,
        };
        self.answer(py, &question)
    }

    /// What this machine would say of itself, were it a worker.
    fn analyze<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.answer(py, &Question::Analyze {})
    }
}

impl Matcher {
    fn answer<'py>(&self, py: Python<'py>, question: &Question<'_>) -> PyResult<Bound<'py, PyAny>> {
        let line = self.ask(py, None, &question.line()?)?;
        reply::object(py, &line)
    }

    /// A turn where nobody has it, and nobody's answer is still to come.
    fn turn_at_once<'py>(&self, py: Python<'py>) -> Option<Turn<'_, 'py>> {
        let mut turn = self.turns.try_take(py)?;
        let is_behind = turn.helper.as_mut().is_some_and(Helper::is_behind);
        (!is_behind).then_some(turn)
    }

    /// The answer's line, in that turn or the next that there is.
    fn ask(&self, py: Python<'_>, turn: Option<Turn<'_, '_>>, question: &str) -> PyResult<String> {
        let waits_until = Instant::now() + self.limit;
        // Whoever waits for nobody waits for the helper alone, who has all the time then.
        let (turn, until) = match turn.or_else(|| self.turn_at_once(py)) {
            Some(turn) => (Some(turn), None),
            None => (self.turns.take(py, waits_until), Some(waits_until)),
        };
        let Some(mut turn) = turn else {
            return Err(not_asked(&HelperError::Busy(self.limit)));
        };
        let helper = turn.helper.take();
        let (helper, answer) = py.detach(|| self.answer_of(helper, question, until));
        turn.helper = helper;
        answer.map_err(|error| not_asked(&error))
    }

    /// The answer's line, and who is to be asked next. A helper that has ended since it was asked last is replaced; one that
    /// fails now is not asked twice.
    fn answer_of(
        &self,
        helper: Option<Helper>,
        question: &str,
        until: Option<Instant>,
    ) -> (Option<Helper>, Result<String, HelperError>) {
        let ask = |mut helper: Helper| match helper.ask(question.to_owned(), until, self.limit) {
            Err(error @ (HelperError::Ended(_) | HelperError::Hung(_))) => (None, Err(error)),
            answer => (Some(helper), answer),
        };
        match helper.map(ask) {
            None | Some((_, Err(HelperError::Ended(_)))) => match Helper::start(&self.program) {
                Ok(helper) => ask(helper),
                Err(error) => (None, Err(error)),
            },
            Some(answered) => answered,
        }
    }
}

fn not_asked(error: &HelperError) -> PyErr {
    match error {
        HelperError::Busy(_) => Busy::new_err(error.to_string()),
        error => NotAsked::new_err(error.to_string()),
    }
}
