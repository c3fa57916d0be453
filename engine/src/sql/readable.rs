//! What can be read of many rows: one that cannot stops nothing but itself.

use super::Row;
use crate::EngineError;
use std::{
    collections::HashSet,
    fmt::Display,
    sync::{LazyLock, Mutex, PoisonError},
};

/// How many rows are told of that cannot be read: lists are read all the time.
const MOST_TOLD: usize = 1_000;

/// What the rows say. Those that cannot be read are left out; `key` is the column that tells which it is.
pub(crate) fn readable<T>(
    what: &str,
    key: &str,
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, EngineError>,
) -> Vec<T> {
    let read = |row: &Row| {
        let told =
            |error: &EngineError| leave_out(&format_args!("{what} {}", name(row, key)), error);
        read(row).inspect_err(told).ok()
    };
    rows.iter().filter_map(read).collect()
}

/// The row's number or name.
fn name(row: &Row, key: &str) -> String {
    let number = row.int(key).map(|number| number.to_string());
    number
        .or_else(|_| {
            row.text(key)
                .map(|name| format!("`{}`", name.escape_debug()))
        })
        .unwrap_or_default()
}

/// Says of something that it is left out, and why: once.
pub(crate) fn leave_out(what: &dyn Display, error: &EngineError) {
    static TOLD: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    let message = format!("{what} is left out: {error}");
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() < MOST_TOLD && told.insert(message.clone()) {
        log::warn!("{message}");
    }
}
