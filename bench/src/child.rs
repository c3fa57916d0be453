//! What can be measured only once in a process, such as loading a library, is measured in a child process: this program
//! started again, which prints nanoseconds or bytes.
#![expect(unsafe_code, reason = "the reference is a bare dlopen")]

use crate::{
    fixture::{admissible, file_name},
    measure::once,
};
use anyhow::{Context as _, Result, bail};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::{
    env,
    ffi::OsStr,
    fs,
    io::{self, BufRead, BufReader, Write},
    mem,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};
use taskbay_core::Task as _;
use taskbay_loader::{Admissible, Loader, Schema, SearchPath, Store, TrustPolicy};

/// The first argument of a child.
pub(crate) const ARGUMENT: &str = "child";
/// As the loader opens libraries (`dlfcn.h` of Linux).
const RTLD_NODELETE: i32 = 0x1000;

/// What a child does, and prints the time of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// Loads plugins.
    Load,
    /// Opens the private copies of the same plugins, and no more.
    Open,
    /// Scans the directory: finds, inspects and loads all there is.
    Scan,
    /// Compiles the measured task's schema, for the first time in the process and again.
    Compile,
    /// Loads plugins, and prints what memory they take.
    LoadAndStay,
    /// Opens the private copies of the same plugins, and prints what memory they take.
    OpenAndStay,
}

impl Work {
    fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Open => "open",
            Self::Scan => "scan",
            Self::Compile => "compile",
            Self::LoadAndStay => "load and stay",
            Self::OpenAndStay => "open and stay",
        }
    }
}

/// Does `work` with the first `count` plugins in `directory` in a child, and gives the figures that it printed.
pub(crate) fn sample(work: Work, directory: &Path, store: &Path, count: usize) -> Result<Vec<f64>> {
    let figures = at_once(work, directory, store, count, 1)?;
    figures.into_iter().next().context("there was no child")
}

/// The same in several children, none of which ends, or takes its figures of memory, before all have done it.
pub(crate) fn at_once(
    work: Work,
    directory: &Path,
    store: &Path,
    count: usize,
    processes: usize,
) -> Result<Vec<Vec<f64>>> {
    let mut children = (0..processes)
        .map(|_| start(work, directory, store, count))
        .collect::<Result<Vec<_>>>()?;
    for (_, output) in &mut children {
        output.read_line(&mut String::new())?;
    }
    for (child, _) in &mut children {
        // Its end of the pipe may be gone where it has failed, which its status tells.
        let _ = child.stdin.as_mut().map(|go| go.write_all(b"\n"));
    }
    // All have taken their figures before the first ends.
    let figures = children
        .iter_mut()
        .map(|(_, output)| figures(output))
        .collect::<Result<Vec<_>>>()?;
    for (mut child, _) in children {
        drop(child.stdin.take());
        let status = child.wait()?;
        if !status.success() {
            bail!("a child that should {} ended with {status}", work.as_str());
        }
    }
    Ok(figures)
}

type Started = (Child, BufReader<ChildStdout>);

fn start(work: Work, directory: &Path, store: &Path, count: usize) -> Result<Started> {
    let mut child = Command::new(env::current_exe()?)
        .args([
            OsStr::new(ARGUMENT),
            work.as_str().as_ref(),
            directory.as_ref(),
            store.as_ref(),
        ])
        .arg(count.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()?;
    let output = child.stdout.take().context("a child has no output")?;
    Ok((child, BufReader::new(output)))
}

/// The figures of a child: numbers in a line.
fn figures(output: &mut impl BufRead) -> Result<Vec<f64>> {
    let mut line = String::new();
    output.read_line(&mut line)?;
    line.split_whitespace()
        .map(|number| number.parse().context("a child printed no figure"))
        .collect()
}

/// Is the child. It says when it has done its work, and then, when it is told to, what it cost.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let [work, directory, store, count] = arguments else {
        bail!("a child takes four arguments");
    };
    let loader = Loader::new(Store::in_directory(*store));
    let directory = Path::new(directory);
    let files = || {
        (0..count.parse()?)
            .map(|number| admissible(&directory.join(file_name(number))))
            .collect::<Result<Vec<_>>>()
    };
    let before = memory()?;
    let times = match *work {
        "load" => vec![load(&loader, &files()?)?],
        "open" => vec![open(&loader, &files()?)?],
        "scan" => vec![scan(&loader, directory)?],
        "compile" => compile()?,
        "load and stay" => stay(&loader, &files()?)?,
        "open and stay" => open(&loader, &files()?).map(|_| Vec::new())?,
        other => bail!("a child cannot {other}"),
    };
    let (mut out, mut lines) = (io::stdout().lock(), io::stdin().lines());
    writeln!(out, "done")?;
    lines.next();
    let figures = if times.is_empty() {
        memory()?
            .iter()
            .zip(before)
            .map(|(now, before)| now - before)
            .collect()
    } else {
        times
    };
    let figures: Vec<_> = figures.iter().map(f64::to_string).collect();
    writeln!(out, "{}", figures.join(" "))?;
    lines.next();
    Ok(())
}

/// What this process has of memory for itself, and its share of all that it uses, in bytes.
fn memory() -> Result<[f64; 2]> {
    let text = fs::read_to_string("/proc/self/smaps_rollup")?;
    let kibibytes = |wanted: &[&str]| -> f64 {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let values = lines.filter(|(key, _)| wanted.contains(key));
        let numbers =
            values.filter_map(|(_, value)| value.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        numbers.sum()
    };
    Ok([
        kibibytes(&["Private_Clean", "Private_Dirty"]) * 1024.0,
        kibibytes(&["Pss"]) * 1024.0,
    ])
}

fn stay(loader: &Loader, files: &[Admissible]) -> Result<Vec<f64>> {
    for file in files {
        mem::forget(loader.load_lazily(file)?);
    }
    Ok(Vec::new())
}

fn scan(loader: &Loader, directory: &Path) -> Result<f64> {
    let path = SearchPath::only([directory.to_owned()]);
    once(|| Ok(taskbay_loader::scan(&path, TrustPolicy::OwnerOnly, loader)))
}

fn load(loader: &Loader, files: &[Admissible]) -> Result<f64> {
    once(|| {
        let mut plugins = Vec::with_capacity(files.len());
        for file in files {
            plugins.push(loader.load_lazily(file)?);
        }
        Ok(plugins)
    })
}

fn open(loader: &Loader, files: &[Admissible]) -> Result<f64> {
    let copies = files
        .iter()
        .map(|file| Ok(loader.keep(file)?))
        .collect::<Result<Vec<_>>>()?;
    once(|| {
        for copy in &copies {
            // SAFETY: the file was made by this program's own workspace, and nobody changes a private copy.
            let library =
                unsafe { Library::open(Some(copy), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) };
            mem::forget(library?);
        }
        Ok(())
    })
}

fn compile() -> Result<Vec<f64>> {
    let schema = crate::task::Measured::schema().context("the measured task has no schema")?;
    let compile = || once(|| Ok(Schema::compile(&schema)?));
    Ok(vec![compile()?, compile()?])
}
