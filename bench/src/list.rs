//! `taskbay list`: what a look at a thousand plugin files costs, against opening each and reading its first 4 KiB, which
//! is the least that a look could do. No plugin code runs.

use crate::{
    fixture::{Fixture, MANY, file_name},
    goal::Goal,
    measure::{in_turn, once},
    report::Row,
};
use anyhow::{Result, ensure};
use std::{fs::File, hint::black_box, os::unix::fs::FileExt};
use taskbay_loader::{Catalog, SearchPath, TrustPolicy};

const ROUNDS: usize = 60;

pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Row>> {
    let directory = fixture.many()?.to_owned();
    let files: Vec<_> = (0..MANY)
        .map(|number| directory.join(file_name(number)))
        .collect();
    let path = SearchPath::only([directory]);
    let read = || Catalog::read(&path, TrustPolicy::OwnerOnly);
    ensure!(
        read().usable().count() == MANY,
        "not all plugins are listed"
    );
    let pair = in_turn(
        ROUNDS,
        || once(|| Ok(read())),
        || {
            once(|| {
                for file in &files {
                    let mut head = [0; 4096];
                    File::open(file)?.read_at(&mut head, 0)?;
                    black_box(head);
                }
                Ok(())
            })
        },
    )?;
    Ok(vec![Row::new(
        "list of 1,000 plugins",
        "open each, read 4 KiB",
        pair,
        Goal::Ratio(2.0),
    )])
}
