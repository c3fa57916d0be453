//! Loading: from an inspected file to a plugin that can be asked, against a bare `dlopen` of the same bytes.
//!
//! A library is opened once in a process, so each sample is a process of its own; starting it is not in the figures.

use crate::{
    child::{Work, sample},
    fixture::{Fixture, MANY, admissible, file_name},
    goal::Goal,
    measure::{Pair, in_turn},
    report::Row,
};
use anyhow::{Context as _, Result};
use std::{fs, path::Path};
use taskbay_loader::{Loader, Store};

/// How many plugins are loaded, and how many samples are taken of it.
const SIZES: [(usize, usize); 4] = [(1, 120), (10, 60), (100, 20), (MANY, 7)];

pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Row>> {
    let directory = fixture.many()?;
    let store = fixture.path("store-of-many");
    let loader = Loader::new(Store::in_directory(&store));
    for number in 0..MANY {
        loader.keep(&admissible(&directory.join(file_name(number)))?)?;
    }
    let mut rows = Vec::new();
    for (count, rounds) in SIZES {
        let pair = in_turn(
            rounds,
            || first(sample(Work::Load, directory, &store, count)),
            || first(sample(Work::Open, directory, &store, count)),
        )?;
        rows.push(Row::new(
            format!("full load of {count}, the private copy being there"),
            "dlopen of the copy",
            pair,
            Goal::Ratio(2.0),
        ));
    }
    rows.push(new_bytes(fixture, directory, &store)?);
    rows.push(schema(directory, &store)?);
    Ok(rows)
}

/// The first load of new bytes makes the private copy.
fn new_bytes(fixture: &Fixture, directory: &Path, store: &Path) -> Result<Row> {
    let new = fixture.path("store-of-none");
    let pair = in_turn(
        60,
        || {
            if new.exists() {
                fs::remove_dir_all(&new)?;
            }
            first(sample(Work::Load, directory, &new, 1))
        },
        || first(sample(Work::Open, directory, store, 1)),
    )?;
    Ok(Row::new(
        "full load of new bytes, of which there is no private copy",
        "dlopen of a copy",
        pair,
        Goal::None,
    ))
}

/// The first schema that is compiled in a process.
fn schema(directory: &Path, store: &Path) -> Result<Row> {
    let mut taken = Vec::new();
    for _ in 0..60 {
        match sample(Work::Compile, directory, store, 0)?[..] {
            [first, again] => taken.push((first, again)),
            _ => anyhow::bail!("a child printed another number of times than two"),
        }
    }
    Ok(Row::new(
        "first schema compiled in a process (10 fields)",
        "the same again",
        Pair::of(&taken),
        Goal::None,
    ))
}

fn first(times: Result<Vec<f64>>) -> Result<f64> {
    times?.first().copied().context("a child printed no time")
}
