//! `taskbay check`: is a plugin as it should be?

use crate::{args::CheckArgs, error::CommandError, exit::Exit, host, input, session::Session};
use std::{
    env,
    io::{self, Write},
};
use taskbay_check::{FileReport, Level, Options, Report, Status, Test, check};

pub(crate) fn run(session: &Session, args: &CheckArgs) -> Result<Exit, CommandError> {
    let options = options(session, args)?;
    for file in &args.files {
        file.symlink_metadata().map_err(|error| {
            CommandError::new(
                Exit::Unknown,
                format!("there is no file {}", file.display()),
            )
            .cause(&error)
            .help("name plugin files, as in `target/release/libtaskbay_task_noop.so`")
        })?;
    }
    let checked = args.files.iter().map(|file| check(file, &options));
    let files: Result<_, _> = checked.collect();
    let files = files.map_err(|failure| CommandError::not_asked(&failure))?;
    let mut report = Report::new(files);
    let summaries: Vec<_> = report.files.iter().map(FileReport::summary).collect();
    let is_fine = if args.strict {
        report.is_complete()
    } else {
        report.passed
    };
    if args.only_failed {
        report.keep_failed(args.strict);
    }
    session.report.data(&report, |out| {
        let mut files = report.files.iter().zip(&summaries);
        files.try_for_each(|(file, summary)| write_file(file, summary, out))
    })?;
    Ok(if is_fine { Exit::Success } else { Exit::No })
}

fn options(session: &Session, args: &CheckArgs) -> Result<Options, CommandError> {
    let here = env::current_dir().map_err(|error| {
        CommandError::new(Exit::Unavailable, "there is no current directory").cause(&error)
    })?;
    let data = args.data.as_deref().map(input::read).transpose()?;
    let level = match args.reproduce {
        Some(_) => Some(Level::Endures),
        None => Level::of(args.level),
    };
    Ok(Options {
        level: level.unwrap_or(Level::Executes),
        policy: session.policy,
        program: host::program(),
        limit: session.global.plugin_timeout,
        timeout: args.timeout,
        grace: args.grace,
        data,
        base: here,
        reproduce: args.reproduce,
        abort: session.abort.clone(),
    })
}

fn write_file(file: &FileReport, summary: &str, out: &mut dyn Write) -> io::Result<()> {
    match (&file.name, file.version) {
        (Some(name), Some(version)) => writeln!(out, "{}: {name} {version}", file.file)?,
        _ => writeln!(out, "{}:", file.file)?,
    }
    for test in &file.tests {
        write_test(test, out)?;
    }
    writeln!(out, "{summary}")
}

fn write_test(test: &Test, out: &mut dyn Write) -> io::Result<()> {
    let status = match test.status {
        Status::Passed => "passed",
        Status::Failed => "FAILED",
        Status::Skipped => "skipped",
    };
    let message = test.message.as_deref().unwrap_or_default();
    let line = format!("  {}  {status:8} {:20} {message}", test.level, test.name);
    writeln!(out, "{}", line.trim_end())?;
    match &test.help {
        Some(help) => writeln!(out, "     help:  {help}"),
        None => Ok(()),
    }
}
