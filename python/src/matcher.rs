//! What Python code has to ask with.

use crate::{
    NotAsked,
    helper::{Helper, HelperError, Program},
    question::{Document, Question},
    reply,
};
use pyo3::{exceptions::PyValueError, prelude::*};
use std::{
    mem,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
    time::Duration,
};

/// Asks task plugins. Documents are JSON texts where they are given, and objects where they are answers.
///
/// The process that is asked is started at the first question, and anew where it died. Threads ask one after the other.
#[pyclass(module = "taskbay", frozen)]
#[derive(Debug)]
pub(crate) struct Matcher {
    program: Program,
    /// How long an answer may take. A plugin that hangs is given up before, by the helper.
    limit: Duration,
    helper: Mutex<Option<Helper>>,
}

#[pymethods]
impl Matcher {
    /// `program` is the command `taskbay`; `plugin_dirs` are looked for plugins before the usual directories; a plugin has
    /// `plugin_timeout` seconds to answer, and the helper `limit` seconds; `cache` is where it keeps private copies.
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
            helper: Mutex::new(None),
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
        let answer = py.detach(|| {
            let helper = if wait {
                Some(self.lock())
            } else {
                self.try_lock()
            };
            helper.map(|helper| self.ask(helper, &question))
        });
        answer.map(|line| reply::object(py, &line?)).transpose()
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
        let question = question.line()?;
        let line = py.detach(|| self.ask(self.lock(), &question))?;
        reply::object(py, &line)
    }

    /// The answer's line. A helper that has ended since it was asked last is replaced; one that fails now is not asked twice.
    fn ask(&self, mut helper: MutexGuard<'_, Option<Helper>>, question: &str) -> PyResult<String> {
        let others = helper.take_if(|helper| !helper.is_ours());
        // Its ends of the pipes, and its thread, are with the process that this was forked from.
        mem::forget(others);
        let mut asked = None;
        if let Some(running) = helper.as_mut() {
            asked = Some(running.ask(question.to_owned(), self.limit));
        }
        if matches!(asked, None | Some(Err(HelperError::Ended(_)))) {
            *helper = None;
            let started = Helper::start(&self.program).map_err(|error| not_asked(&error))?;
            let running = helper.insert(started);
            asked = Some(running.ask(question.to_owned(), self.limit));
        }
        match asked {
            Some(Ok(line)) => Ok(line),
            Some(Err(error)) => {
                *helper = None;
                Err(not_asked(&error))
            }
            None => Err(NotAsked::new_err("nothing was asked")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Helper>> {
        self.helper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Option<Helper>>> {
        match self.helper.try_lock() {
            Ok(helper) => Some(helper),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

fn not_asked(error: &HelperError) -> PyErr {
    NotAsked::new_err(error.to_string())
}
