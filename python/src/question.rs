//! What the helper is asked.

use pyo3::{PyResult, exceptions::PyValueError};
use serde::Serialize;
use serde_json::value::RawValue;

/// A question, as `taskbay answer --help` shows them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Question<'q> {
    Tasks {
        known: Option<u64>,
    },
    Schema {
        task: &'q str,
    },
    Configure {
        task: &'q str,
        data: Document,
    },
    CanRun {
        task: &'q str,
        data: Document,
        worker: Document,
    },
    Explain {
        task: &'q str,
        data: Document,
        workers: Document,
    },
    Analyze {},
}

impl Question<'_> {
    /// As a line, without its end.
    pub(crate) fn line(&self) -> PyResult<String> {
        serde_json::to_string(self).map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

/// A JSON document as it is written, on one line.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Document(Box<RawValue>);

impl Document {
    /// Reads the document that `what` says it is.
    pub(crate) fn read(what: &str, text: &str) -> PyResult<Self> {
        // No string of JSON has a line's end in it, so each is space between its parts.
        let line = text.replace(['\n', '\r'], " ");
        RawValue::from_string(line)
            .map(Self)
            .map_err(|error| PyValueError::new_err(format!("the {what} is no JSON: {error}")))
    }
}
