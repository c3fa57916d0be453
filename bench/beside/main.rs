#![doc = include_str!("method.md")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    reason = "the tests' own parts fail where they cannot go on, and not all of them are used here"
)]

#[path = "../../tests/debusine/api.rs"]
mod api;
#[path = "../../tests/debusine/fake.rs"]
mod fake;
#[path = "../../tests/debusine/records.rs"]
mod records;
#[path = "../../tests/debusine/server.rs"]
mod server;
#[path = "../../tests/debusine/system.rs"]
mod system;
#[path = "../../tests/debusine/worker.rs"]
mod worker;

/// What is measured, where the tests have what they build.
mod farm;
/// What was measured, as a table.
mod figures;
/// One worker on a server of its own.
mod trial;
/// What a worker takes of its machine.
mod usage;

use anyhow::{Context as _, Result};
use figures::Round;
use std::{
    fs,
    io::{self, Write},
    thread::available_parallelism,
};
use system::{Release, System};
use trial::{Sizes, Trial};
use worker::Kind;

fn main() -> Result<()> {
    let sizes = if farm::is_try() {
        Sizes::SHORT
    } else {
        Sizes::FULL
    };
    let system =
        System::get(Release::Trixie).context("without such a server nothing is measured")?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", include_str!("method.md"))?;
    writeln!(
        out,
        "stock: debusine-worker {}\nours:  the {} build in {}\n{} processors, {sizes}\n",
        stock_version(system)?,
        farm::built().file_name().unwrap_or_default().display(),
        farm::built().display(),
        available_parallelism()?,
    )?;
    let mut rounds = Vec::new();
    for number in 1..=sizes.rounds {
        let load = fs::read_to_string("/proc/loadavg")?;
        writeln!(
            out,
            "round {number} of {}, load {}",
            sizes.rounds,
            load.trim()
        )?;
        // What the first one leaves in caches, the other one finds.
        let measure = |kind| Trial::figures(kind, &sizes);
        rounds.push(if number % 2 == 1 {
            let stock = measure(Kind::Stock);
            Round {
                stock,
                ours: measure(Kind::Ours),
            }
        } else {
            let ours = measure(Kind::Ours);
            Round {
                stock: measure(Kind::Stock),
                ours,
            }
        });
    }
    writeln!(out)?;
    figures::table(&mut out, &rounds)?;
    Ok(())
}

/// The version of the stock worker.
fn stock_version(system: &System) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let query = [
        "dpkg-query",
        "--show",
        "--showformat=${Version}",
        "debusine-worker",
    ];
    let said = system.command(folder.path(), &query).output()?;
    Ok(String::from_utf8(said.stdout)?)
}
