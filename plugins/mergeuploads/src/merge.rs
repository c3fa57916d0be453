//! Makes one `.changes` file of several.

use crate::upload::Upload;
use std::collections::{BTreeSet, HashMap};
use taskbay_debian::changes_name;
use taskbay_plugin_api::{TaskConfigError, log};

/// Fields that must say the same in all.
const EQUAL: [&str; 2] = ["Source", "Version"];
/// Fields with words, of which all are kept.
const WORDS: [&str; 2] = ["Binary", "Architecture"];
const DESCRIPTION: &str = "Description";
/// The order that dpkg writes them in; others follow.
const ORDER: [&str; 13] = [
    "Format",
    "Date",
    "Source",
    "Binary",
    "Architecture",
    "Version",
    "Distribution",
    "Urgency",
    "Maintainer",
    "Changed-By",
    DESCRIPTION,
    "Closes",
    "Changes",
];

/// The name and the text of the `.changes` file that stands for all `uploads`, of which there is one at least.
pub(crate) fn merge(uploads: &[Upload]) -> Result<(String, String), TaskConfigError> {
    let first = &uploads[0];
    for name in EQUAL {
        let wanted = first.field(name)?;
        for upload in uploads {
            let value = upload.field(name)?;
            if value != wanted {
                let message =
                    format!("has the {name} `{value}`, and the first upload has `{wanted}`");
                return Err(upload.fault(message));
            }
        }
    }
    let mut fields = kept(uploads);
    for name in WORDS {
        let words: BTreeSet<_> = uploads
            .iter()
            .flat_map(|upload| upload.text(name).split_whitespace())
            .collect();
        fields.push((name, Vec::from_iter(words).join(" ")));
    }
    let mut descriptions = rows(uploads, DESCRIPTION, <[&str]>::first)?;
    descriptions.sort_unstable();
    fields.push((DESCRIPTION, lines(&descriptions)));
    for name in tables(uploads) {
        fields.push((name, lines(&rows(uploads, name, <[&str]>::last)?)));
    }
    fields.retain(|(_, value)| !value.is_empty());
    // It keeps those of one place in the order that they have.
    fields.sort_by_key(|(name, _)| place(name));
    let fields = fields.iter().map(|(name, value)| match value.as_bytes() {
        [b'\n', ..] => format!("{name}:{value}\n"),
        _ => format!("{name}: {value}\n"),
    });
    let name = changes_name(&first.changes, "multi");
    let name = name.map_err(|error| first.fault(error.to_string()))?;
    Ok((name, fields.collect()))
}

/// The fields that are those of the first upload. Where others differ, the log says so.
fn kept(uploads: &[Upload]) -> Vec<(&str, String)> {
    let [first, others @ ..] = uploads else {
        return Vec::new();
    };
    let fields = first.changes.paragraph().iter();
    let fields = fields.filter(|(name, _)| {
        let merged = WORDS.iter().chain([&DESCRIPTION]);
        !is_table(name)
            && !merged
                .into_iter()
                .any(|field| name.eq_ignore_ascii_case(field))
    });
    let fields = fields.inspect(|(name, value)| {
        for (number, _) in (2..)
            .zip(others)
            .filter(|(_, one)| one.text(name) != *value)
        {
            log::warn!("upload {number} has another `{name}`: that of the first one is kept");
        }
    });
    fields
        .map(|(name, value)| (name, value.to_owned()))
        .collect()
}

/// The fields with checksums that all uploads have: one that some lack could not name all files.
fn tables(uploads: &[Upload]) -> impl Iterator<Item = &str> {
    let fields = uploads[0].changes.paragraph().iter();
    fields
        .map(|(name, _)| name)
        .filter(|name| is_table(name) && uploads.iter().all(|upload| !upload.text(name).is_empty()))
}

fn is_table(field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    field.starts_with("checksums-") || field == "files"
}

/// The lines of that field in all uploads, each once. The word that `key` picks says what a line is about, and two that are
/// about the same say the same.
fn rows<'a>(
    uploads: &'a [Upload],
    field: &str,
    key: for<'b> fn(&'b [&'a str]) -> Option<&'b &'a str>,
) -> Result<Vec<&'a str>, TaskConfigError> {
    let mut rows = Vec::new();
    let mut known: HashMap<&str, Vec<&str>> = HashMap::new();
    for upload in uploads {
        for line in upload.text(field).lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            let Some(about) = key(&words).copied() else {
                continue;
            };
            match known.get(about) {
                None => {
                    known.insert(about, words);
                    rows.push(line.trim());
                }
                Some(other) if *other == words => {}
                Some(other) => {
                    return Err(upload.fault(format!(
                        "says in `{field}` `{}`, and an upload before it says `{}`",
                        words.join(" "),
                        other.join(" ")
                    )));
                }
            }
        }
    }
    Ok(rows)
}

fn lines(rows: &[&str]) -> String {
    rows.iter().flat_map(|row| ["\n ", row]).collect()
}

fn place(field: &str) -> usize {
    let mut order = ORDER.iter();
    let place = order.position(|name| name.eq_ignore_ascii_case(field));
    place.unwrap_or(ORDER.len())
}
