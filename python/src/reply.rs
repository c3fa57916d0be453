//! What the helper's lines mean.

use crate::{InvalidData, NotAsked, PluginFailed, UnknownTask};
use pyo3::{PyErr, PyResult, Python, prelude::*};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Why there is no answer, as the helper says it.
#[derive(Debug, Deserialize)]
struct Refused {
    code: String,
    message: String,
    #[serde(default)]
    faults: Vec<Fault>,
}

/// A fault in task data.
#[derive(Debug, Deserialize)]
struct Fault {
    pointer: String,
    message: String,
    cause: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Line<'l> {
    #[serde(borrow)]
    error: Option<&'l RawValue>,
}

/// The answer as a Python object; a refusal is raised.
pub(crate) fn object<'py>(py: Python<'py>, line: &str) -> PyResult<Bound<'py, PyAny>> {
    let json = py.import("json")?;
    let read: Line<'_> = serde_json::from_str(line).map_err(|error| garbled(&error))?;
    match read.error {
        None => json.call_method1("loads", (line,)),
        Some(error) => {
            let refused: Refused =
                serde_json::from_str(error.get()).map_err(|error| garbled(&error))?;
            Err(refused.raised(py)?)
        }
    }
}

fn garbled(error: &serde_json::Error) -> PyErr {
    NotAsked::new_err(format!("`taskbay answer` said what is no answer: {error}"))
}

impl Refused {
    fn raised(self, py: Python<'_>) -> PyResult<PyErr> {
        Ok(match &*self.code {
            "unknown-task" => UnknownTask::new_err(self.message),
            "plugin-failed" => PluginFailed::new_err(self.message),
            "invalid-data" => {
                let each: Vec<String> = self.faults.iter().map(Fault::told).collect();
                let raised = InvalidData::new_err(format!("{}: {}", self.message, each.join("; ")));
                let faults: Vec<_> = self
                    .faults
                    .into_iter()
                    .map(|each| (each.pointer, each.message))
                    .collect();
                raised.value(py).setattr("faults", faults)?;
                raised
            }
            _ => NotAsked::new_err(self.message),
        })
    }
}

impl Fault {
    fn told(&self) -> String {
        let place = match &*self.pointer {
            "" => String::new(),
            pointer => format!("{pointer}: "),
        };
        let cause = self.cause.as_ref().map(|cause| format!(" ({cause})"));
        format!("{place}{}{}", self.message, cause.unwrap_or_default())
    }
}
