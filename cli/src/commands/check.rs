//! `taskbay check`: is a plugin as it should be?

use crate::{
    args::CheckArgs, error::CommandError, exit::Exit, host, input, report::note, session::Session,
};
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
    let not_executed: Vec<_> = report.files.iter().filter_map(not_executed).collect();
    for told in &not_executed {
        let level = if args.level.is_some() {
            "error"
        } else {
            "warning"
        };
        note(&format!("{level}: {told}"));
    }
    let is_fine = is_fine && (args.level.is_none() || not_executed.is_empty());
    if args.only_failed {
        report.keep_failed(args.strict);
    }
    session.report.data(&report, |out| {
        let mut files = report.files.iter().zip(&summaries);
        files.try_for_each(|(file, summary)| write_file(file, summary, out))
    })?;
    Ok(if is_fine { Exit::Success } else { Exit::No })
}

/// Why a plugin that was to be executed was not, where nothing failed that says so.
fn not_executed(file: &FileReport) -> Option<String> {
    let executing = |test: &&Test| test.name == "execute" && test.status == Status::Skipped;
    if !file.passed || !file.tests.iter().any(|test| executing(&test)) {
        return None;
    }
    // What stands in the way, which has a remedy: itself, or the first that was not made.
    let has_remedy = |test: &&Test| test.status == Status::Skipped && test.help.is_some();
    let mut others = file.tests.iter();
    let why = file
        .tests
        .iter()
        .find(|test| executing(test) && has_remedy(test));
    let why = why.or_else(|| others.find(has_remedy))?;
    let message = why.message.as_deref().unwrap_or_default();
    Some(format!("{} was not executed: {message}", file.file))
}

fn options(session: &Session, args: &CheckArgs) -> Result<Options, CommandError> {
    let here = env::current_dir().map_err(|error| {
        CommandError::new(Exit::Unavailable, "there is no current directory").cause(&error)
    })?;
    let data = args.data.as_deref().map(input::task_data).transpose()?;
    let level = match args.reproduce {
        Some(_) => Some(Level::Endures),
        None => args.level.and_then(Level::of),
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
    // What was not tried for want of another test has no more to say than that.
    let has_own = |test: &&Test| test.status != Status::Skipped || test.help.is_some();
    let (own, others): (Vec<_>, Vec<_>) = file.tests.iter().partition(has_own);
    for test in own {
        write_test(test, out)?;
    }
    if let Some(why) = others.first().and_then(|test| test.message.as_deref()) {
        let why = why.trim_start_matches("not tried, ");
        writeln!(out, "     {} tests were not made, {why}", others.len())?;
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
