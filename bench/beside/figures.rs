//! The figures of both workers, as a table for people.

use std::io::{self, Write};

/// One figure of one worker.
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
}

/// The same figures of both, taken one after the other.
pub(crate) struct Round {
    pub(crate) stock: Vec<Figure>,
    pub(crate) ours: Vec<Figure>,
}

/// What came of several rounds.
struct Spread {
    lowest: f64,
    median: f64,
    highest: f64,
}

impl Spread {
    fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let at = |index: usize| samples.get(index).copied().unwrap_or(f64::NAN);
        Self {
            lowest: at(0),
            median: at(samples.len() / 2),
            highest: at(samples.len().saturating_sub(1)),
        }
    }
}

/// Writes a line for each figure: the stock worker's, ours, and the ratio with how far it is spread.
pub(crate) fn table(out: &mut dyn Write, rounds: &[Round]) -> io::Result<()> {
    let figures = rounds.first().map_or(&[][..], |round| &round.stock);
    writeln!(out, "{:<44} {:>12} {:>12}   ratio", "", "stock", "ours")?;
    for (index, figure) in figures.iter().enumerate() {
        let of = |take: fn(f64, f64) -> f64| {
            let pairs = rounds.iter().filter_map(|round| {
                Some(take(
                    round.stock.get(index)?.value,
                    round.ours.get(index)?.value,
                ))
            });
            Spread::of(pairs.collect())
        };
        let ratio = of(|stock, ours| ours / stock);
        writeln!(
            out,
            "{:<44} {:>12} {:>12}   {:.3} x ({:.3} to {:.3})",
            figure.what,
            value(of(|stock, _| stock).median, figure.unit),
            value(of(|_, ours| ours).median, figure.unit),
            ratio.median,
            ratio.lowest,
            ratio.highest
        )?;
    }
    out.flush()
}

/// A number of three digits or more, with its unit; what has none is counted.
fn value(number: f64, unit: &str) -> String {
    let digits = match number.abs() {
        _ if unit.is_empty() => 0,
        small if small < 10.0 => 2,
        small if small < 100.0 => 1,
        _ => 0,
    };
    format!("{number:.digits$} {unit}").trim_end().to_owned()
}
