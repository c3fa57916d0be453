//! Fields whose lines are rows of a table, as JSON with Debusine's names for the columns.

use serde_json::{Map, Value};

/// The value of a field as JSON: an array of objects for a table, else the text.
pub(crate) fn value(field: &str, text: &str) -> Value {
    let field = field.to_ascii_lowercase();
    let by_last = |columns: &[&str]| {
        rows(text)
            .filter_map(|row| named_last(columns, &row))
            .collect()
    };
    match field.strip_prefix("checksums-") {
        Some(hash) => by_last(&[hash, "size"]),
        None if field == "files" => by_last(&["md5sum", "size", "section", "priority"]),
        None if field == "package-list" => rows(text).filter_map(|row| package(&row)).collect(),
        None => text.into(),
    }
}

/// The lines of a field that have something in them, each as its words.
pub(crate) fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|row| !row.is_empty())
}

/// A row whose last word is the name of a file. Those that have fewer columns lack the last ones.
fn named_last(columns: &[&str], row: &[&str]) -> Option<Value> {
    let (name, cells) = row.split_last()?;
    let mut object = object(columns, cells);
    object.insert("name".to_owned(), (*name).into());
    Some(Value::Object(object))
}

/// A row that names a package first, and has options at its end.
fn package(row: &[&str]) -> Option<Value> {
    const COLUMNS: [&str; 4] = ["package", "package-type", "section", "priority"];
    let (cells, options) = row.split_at_checked(COLUMNS.len())?;
    let mut object = object(&COLUMNS, cells);
    object.insert("_other".to_owned(), options.join(" ").into());
    Some(Value::Object(object))
}

fn object(columns: &[&str], cells: &[&str]) -> Map<String, Value> {
    let cells = columns.iter().zip(cells);
    cells
        .map(|(column, cell)| ((*column).to_owned(), (*cell).into()))
        .collect()
}
