//! What can be measured only once in a process, such as loading a library, is measured in a child process: this program
//! started again, which prints nanoseconds.
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
    io::{self, Write},
    mem,
    path::Path,
    process::{Command, Stdio},
};
use taskbay_core::Task as _;
use taskbay_loader::{Admissible, Loader, Schema, Store};

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
    /// Compiles the measured task's schema, for the first time in the process and again.
    Compile,
}

/// Does `work` with the first `count` plugins in `directory` in a child, and gives the times that it printed.
pub(crate) fn sample(work: Work, directory: &Path, store: &Path, count: usize) -> Result<Vec<f64>> {
    let argument = match work {
        Work::Load => "load",
        Work::Open => "open",
        Work::Compile => "compile",
    };
    let output = Command::new(env::current_exe()?)
        .args([
            OsStr::new(ARGUMENT),
            argument.as_ref(),
            directory.as_ref(),
            store.as_ref(),
        ])
        .arg(count.to_string())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!(
            "a child that should {argument} ended with {}",
            output.status
        );
    }
    let text = String::from_utf8(output.stdout)?;
    text.lines()
        .map(|line| line.parse().context("a child printed no time"))
        .collect()
}

/// Is the child.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let [work, directory, store, count] = arguments else {
        bail!("a child takes four arguments");
    };
    let loader = Loader::new(Store::in_directory(*store)).with_lazy_schemas();
    let files = (0..count.parse()?)
        .map(|number| admissible(&Path::new(directory).join(file_name(number))))
        .collect::<Result<Vec<_>>>()?;
    let times = match *work {
        "load" => vec![load(&loader, &files)?],
        "open" => vec![open(&loader, &files)?],
        "compile" => compile()?,
        other => bail!("a child cannot {other}"),
    };
    let mut out = io::stdout().lock();
    for time in times {
        writeln!(out, "{time}")?;
    }
    Ok(())
}

fn load(loader: &Loader, files: &[Admissible]) -> Result<f64> {
    once(|| {
        let mut plugins = Vec::with_capacity(files.len());
        for file in files {
            plugins.push(loader.load(file)?);
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
