//! Measuring two things turn by turn, so that what slows the machine down slows both.

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// The middle of many samples, and how far the middle half of them is spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) p25: f64,
    pub(crate) median: f64,
    pub(crate) p75: f64,
}

/// What two things took, in nanoseconds, and how they compare.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Pair {
    pub(crate) ours: Spread,
    pub(crate) reference: Spread,
    /// Ours divided by the reference, of each round.
    pub(crate) ratio: Spread,
    /// Ours less the reference, of each round, in nanoseconds.
    pub(crate) difference: Spread,
}

impl Spread {
    fn of(samples: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = samples.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |quarters: usize| {
            let index = sorted.len().saturating_sub(1) * quarters / 4;
            sorted.get(index).copied().unwrap_or(f64::NAN)
        };
        Self {
            p25: at(1),
            median: at(2),
            p75: at(3),
        }
    }
}

impl Pair {
    /// Compares samples that were taken in turn: ours first, the reference second.
    pub(crate) fn of(rounds: &[(f64, f64)]) -> Self {
        let rounds = || rounds.iter().copied();
        Self {
            ours: Spread::of(rounds().map(|(ours, _)| ours)),
            reference: Spread::of(rounds().map(|(_, reference)| reference)),
            ratio: Spread::of(rounds().map(|(ours, reference)| ours / reference)),
            difference: Spread::of(rounds().map(|(ours, reference)| ours - reference)),
        }
    }
}

/// Takes a sample of each in turn, so many times. A sample is in nanoseconds; the first of each does not count.
pub(crate) fn in_turn(
    rounds: usize,
    mut ours: impl FnMut() -> Result<f64>,
    mut reference: impl FnMut() -> Result<f64>,
) -> Result<Pair> {
    ours()?;
    reference()?;
    let mut taken = Vec::with_capacity(rounds);
    for round in 0..rounds {
        // Who comes second finds caches as the other left them, so they take turns in that, too.
        taken.push(if round % 2 == 0 {
            let ours = ours()?;
            (ours, reference()?)
        } else {
            let reference = reference()?;
            (ours()?, reference)
        });
    }
    Ok(Pair::of(&taken))
}

/// How long it takes once, in nanoseconds.
pub(crate) fn once<T>(work: impl FnOnce() -> Result<T>) -> Result<f64> {
    let started = Instant::now();
    let made = black_box(work()?);
    let elapsed = nanoseconds(started);
    drop(made);
    Ok(elapsed)
}

/// What it takes once of the processor's time, in nanoseconds: what a busy machine does beside it does not count.
pub(crate) fn busy<T>(work: impl FnOnce() -> Result<T>) -> Result<f64> {
    let now = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(
            now.tv_sec.unsigned_abs(),
            u32::try_from(now.tv_nsec).unwrap_or_default(),
        )
    };
    let started = now();
    let made = black_box(work()?);
    let elapsed = now().saturating_sub(started);
    drop(made);
    Ok(elapsed.as_secs_f64() * 1e9)
}

/// How long each of `times` in a row takes on average, dropping what it makes included, in nanoseconds.
pub(crate) fn each<T>(times: u32, mut work: impl FnMut() -> T) -> f64 {
    let started = Instant::now();
    for _ in 0..times {
        drop(black_box(work()));
    }
    nanoseconds(started) / f64::from(times)
}

fn nanoseconds(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e9
}
