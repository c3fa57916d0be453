//! One module per command.

mod analyze;
mod answer;
mod can_run;
mod check;
mod completions;
mod follow;
mod inspect;
mod list;
mod man;
mod matching;
mod new;
mod paths;
mod quarantine;
mod queue;
mod run;
mod schema;
mod validate;

use crate::{
    args::{Args, Command},
    exit::Exit,
    session::Session,
};

/// Runs the command, reports what failed, and says what the process ends with.
pub(crate) fn run(args: Args) -> Exit {
    let session = Session::new(args.global, args.command.is_service());
    let done = match args.command {
        Command::List { follow: true, .. } => follow::run(&session),
        Command::List { load, strict, .. } => list::run(&session, load, strict),
        Command::Inspect { plugin } => inspect::run(&session, &plugin),
        Command::Paths => paths::run(&session),
        Command::Schema { name } => schema::run(&session, &name),
        Command::Analyze { names } => analyze::run(&session, &names),
        Command::Validate(task) => validate::run(&session, &task),
        Command::CanRun { task, worker } => can_run::run(&session, &task, worker.as_deref()),
        Command::Match { requests, workers } => matching::run(&session, &requests, &workers),
        Command::Answer => answer::run(&session),
        Command::Run {
            task,
            output,
            timeout,
            grace,
            keep,
        } => run::run(
            &session,
            &task,
            output,
            &taskbay_worker::AttemptOptions {
                timeout,
                grace,
                keep,
                log: None,
            },
        ),
        Command::New {
            name,
            directory,
            api_path,
        } => new::run(&session, &name, directory, api_path),
        Command::Queue(command) => queue::run(&session, command),
        Command::Check(args) => check::run(&session, &args),
        Command::Quarantine { command } => quarantine::run(&session, &command),
        Command::Completions { shell } => completions::run(&session, shell),
        Command::Man { directory } => man::run(&directory),
    };
    done.unwrap_or_else(|error| {
        session.report.error(&error);
        error.exit
    })
}
