//! The command `taskbay`. It holds no logic of its own: it reads arguments, calls the libraries, and reports.

mod exit;

mod args;
mod debusine;
mod logging;
mod queue;

mod host;

mod error;
mod input;
mod report;

mod session;

mod commands;

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    // Before anything else: a host is started for every attempt, and shall cost little.
    if let Some(code) = host::serve_if_asked(env::args_os()) {
        return code;
    }
    let args = match args::Args::read() {
        Ok(args) => args,
        Err(error) => {
            // A closed terminal is nothing to complain about.
            let _ = error.print();
            let is_mistake = error.use_stderr();
            let exit = if is_mistake {
                exit::Exit::Usage
            } else {
                exit::Exit::Success
            };
            return exit.into();
        }
    };
    logging::start(&args);
    commands::run(args).into()
}
