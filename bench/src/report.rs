//! The figures, as a table for people.

use crate::{
    goal::Goal,
    measure::{Pair, Spread},
};
use serde::Serialize;
use std::io::{self, Write};

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: String,
    /// What it was measured against, in the same run.
    pub(crate) against: String,
    #[serde(flatten)]
    pub(crate) pair: Pair,
    pub(crate) goal: Goal,
    pub(crate) unit: Unit,
    /// Whether the goal was met, where there is one.
    pub(crate) met: Option<bool>,
}

impl Row {
    pub(crate) fn new(
        what: impl Into<String>,
        against: impl Into<String>,
        pair: Pair,
        goal: Goal,
    ) -> Self {
        Self {
            what: what.into(),
            against: against.into(),
            met: goal.is_met(&pair),
            pair,
            goal,
            unit: Unit::Nanoseconds,
        }
    }

    /// The same, when it is memory.
    #[must_use]
    pub(crate) fn in_bytes(mut self) -> Self {
        self.unit = Unit::Bytes;
        self
    }
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    Nanoseconds,
    Bytes,
}

/// Writes a group of figures. In parentheses is the middle half of the samples.
pub(crate) fn table(out: &mut dyn Write, group: &str, rows: &[Row]) -> io::Result<()> {
    writeln!(out, "{group}")?;
    for row in rows {
        let Pair {
            ours,
            reference,
            ratio,
            difference,
        } = row.pair;
        writeln!(out, "  {}", row.what)?;
        writeln!(out, "    {}", value_and_spread(row.unit, ours))?;
        writeln!(
            out,
            "    {}  {}",
            value_and_spread(row.unit, reference),
            row.against
        )?;
        let compared = match row.goal {
            Goal::MoreThanReference(_) => format!("+{}", value_and_spread(row.unit, difference)),
            _ => format!(
                "{:.2} x ({:.2} to {:.2})",
                ratio.median, ratio.p25, ratio.p75
            ),
        };
        let met = match row.met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "",
        };
        writeln!(out, "    {compared}; goal {} {met}", row.goal.text())?;
    }
    writeln!(out)?;
    out.flush()
}

fn value_and_spread(unit: Unit, spread: Spread) -> String {
    format!(
        "{} ({} to {})",
        value(unit, spread.median),
        value(unit, spread.p25),
        value(unit, spread.p75)
    )
}

fn value(unit: Unit, number: f64) -> String {
    match unit {
        Unit::Nanoseconds => time(number),
        Unit::Bytes => format!("{:.1} kB", number / 1e3),
    }
}

/// A time with three digits and a unit.
pub(crate) fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds.abs() {
        small if small < 1e3 => (nanoseconds, "ns"),
        small if small < 1e6 => (nanoseconds / 1e3, "us"),
        small if small < 1e9 => (nanoseconds / 1e6, "ms"),
        _ => (nanoseconds / 1e9, "s"),
    };
    let digits = match value.abs() {
        small if small < 10.0 => 2,
        small if small < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}
