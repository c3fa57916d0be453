//! What loaded plugins cost in memory: in one process, in one of four, and when one is replaced again and again. Held
//! against opening the same files with a bare dlopen.

use crate::{
    child::{Work, at_once},
    fixture::{Fixture, admissible, file_name},
    goal::Goal,
    measure::in_turn,
    report::Row,
};
use anyhow::{Context as _, Result};
use std::{fs, path::Path};
use taskbay_loader::{Loader, Store};

const ROUNDS: usize = 5;
/// How many plugins a process loads.
const COUNT: usize = 100;

/// Which of the figures that a child prints.
#[derive(Clone, Copy)]
enum Figure {
    Private,
    Proportional,
}

pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Row>> {
    let directory = fixture.many()?;
    let store = fixture.path("store-for-memory");
    let loader = Loader::new(Store::in_directory(&store));
    for number in 0..COUNT {
        loader.keep(&admissible(&directory.join(file_name(number)))?)?;
    }
    let generations = generations(fixture)?;
    let mut rows = Vec::new();
    for (what, directory, processes, figure) in [
        (
            "private memory of a loaded plugin",
            directory,
            1,
            Figure::Private,
        ),
        (
            "private memory of a loaded plugin, in each of four processes",
            directory,
            4,
            Figure::Private,
        ),
        (
            "its share of all memory, in one process",
            directory,
            1,
            Figure::Proportional,
        ),
        (
            "its share of all memory, in each of four processes",
            directory,
            4,
            Figure::Proportional,
        ),
        (
            "private memory of a replaced generation",
            &*generations,
            1,
            Figure::Private,
        ),
    ] {
        let taken = |work| each(work, directory, &store, processes, figure);
        let pair = in_turn(
            ROUNDS,
            || taken(Work::LoadAndStay),
            || taken(Work::OpenAndStay),
        )?;
        rows.push(Row::new(what, "dlopen of the copies", pair, Goal::None).in_bytes());
    }
    Ok(rows)
}

/// One plugin, a hundred times over, each another file: what replacing it again and again leaves loaded.
fn generations(fixture: &Fixture) -> Result<std::path::PathBuf> {
    let directory = fixture.path("generations");
    fs::create_dir(&directory)?;
    for number in 0..COUNT {
        fs::copy(fixture.measured(), directory.join(file_name(number)))?;
    }
    Ok(directory)
}

/// Bytes for each plugin, in the first of the processes.
fn each(
    work: Work,
    directory: &Path,
    store: &Path,
    processes: usize,
    figure: Figure,
) -> Result<f64> {
    let figures = at_once(work, directory, store, COUNT, processes)?;
    let at = match figure {
        Figure::Private => 0,
        Figure::Proportional => 1,
    };
    let bytes = figures.first().and_then(|figures| figures.get(at));
    Ok(bytes.context("a child printed no figure")? / f64::from(u16::try_from(COUNT)?))
}
