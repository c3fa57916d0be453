//! The Python module `taskbay`: asks task plugins whether data is valid, and who may execute it.
//!
//! It refuses to know what a plugin is: the command `taskbay answer`, which it starts, does. So neither a plugin's crash nor
//! one of the code that reads plugin files reaches the process that imports it.

mod helper;
mod pipe;
mod question;
mod reply;
mod turns;

mod matcher;

use pyo3::{
    create_exception,
    exceptions::PyException,
    types::{IntoPyDict, PyCFunction},
};

create_exception!(
    taskbay,
    Error,
    PyException,
    "Why there is no answer; each is one of the others."
);
create_exception!(taskbay, UnknownTask, Error, "There is no such task.");
create_exception!(
    taskbay,
    InvalidData,
    Error,
    "The task data is invalid. `faults` has each fault, with a JSON pointer."
);
create_exception!(
    taskbay,
    PluginFailed,
    Error,
    "The plugin is refused, crashed, hung or panicked."
);
create_exception!(
    taskbay,
    NotAsked,
    Error,
    "No plugin could be asked, for which none is to blame."
);
create_exception!(
    taskbay,
    Busy,
    NotAsked,
    "Others were asking all the while, and nobody is to blame."
);

/// Asks task plugins, in a process of their own.
#[pyo3::pymodule]
mod taskbay {
    #[pymodule_export]
    use super::{Busy, Error, InvalidData, NotAsked, PluginFailed, UnknownTask, matcher::Matcher};
    use super::{IntoPyDict, PyCFunction, pipe};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        let forked = PyCFunction::new_closure(py, None, None, |arguments, _| {
            pipe::close_all(arguments.py())
        })?;
        let when = [("after_in_child", forked)].into_py_dict(py)?;
        py.import("os")?
            .call_method("register_at_fork", (), Some(&when))?;
        Ok(())
    }
}
