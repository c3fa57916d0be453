//! A control file: a `.dsc` or `.changes`, which names the files that belong to it, with or without a signature.

use deb822_fast::{Deb822, Error as ParseError, Paragraph};
use serde_json::{Map, Value};
use std::{
    io::Read,
    path::{Path, PathBuf},
};

use crate::staging::{StagingError, open};

/// More than any real control file has; a bound for the memory that reading one may take.
const SIZE_LIMIT: u64 = 16 << 20;
/// The fields that name files.
const FILE_FIELDS: [&str; 2] = ["Checksums-Sha256", "Files"];
const SIGNED_START: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE_START: &str = "-----BEGIN PGP SIGNATURE-----";

#[derive(Debug)]
pub(crate) struct ControlFile {
    path: PathBuf,
    paragraph: Paragraph,
}

/// A file that a control file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) size: u64,
}

/// Why a control file could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlFileError {
    #[error(transparent)]
    Open(#[from] StagingError),
    #[error("{}: {reason}; build the package again, or fetch it anew", path.display())]
    Malformed { path: PathBuf, reason: String },
    #[error(
        "{}: it names `{name}` as a file of it, and only plain file names beside it are taken; do not trust it, or \
         correct it", path.display()
    )]
    Escape { path: PathBuf, name: String },
}

impl ControlFile {
    pub(crate) fn read(path: &Path) -> Result<Self, ControlFileError> {
        let malformed = |reason| ControlFileError::Malformed {
            path: path.to_owned(),
            reason,
        };
        let mut bytes = Vec::new();
        open(path)?
            .take(SIZE_LIMIT + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| malformed(error.to_string()))?;
        if bytes.len() as u64 > SIZE_LIMIT {
            return Err(malformed("it is far too large".to_owned()));
        }
        // Old change logs may hold other encodings. The file names that matter here are ASCII.
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        Ok(Self {
            paragraph: parse(&text).map_err(malformed)?,
            path: path.to_owned(),
        })
    }

    /// The value of a field that has to be there.
    pub(crate) fn field(&self, name: &str) -> Result<&str, ControlFileError> {
        let value = self
            .paragraph
            .get(name)
            .map(str::trim)
            .filter(|value| !value.is_empty());
        value.ok_or_else(|| self.malformed(format!("it has no field `{name}`")))
    }

    /// The files that it names. One that two fields name comes twice, since their sizes may differ.
    pub(crate) fn members(&self) -> Result<Vec<Member>, ControlFileError> {
        let mut members = Vec::new();
        for field in FILE_FIELDS {
            for row in self.paragraph.get(field).map(rows).into_iter().flatten() {
                members.push(self.member(field, &row)?);
            }
        }
        if members.is_empty() {
            return Err(self.malformed(format!("it names no files under {}", quoted(&FILE_FIELDS))));
        }
        Ok(members)
    }

    fn member(&self, field: &str, row: &[&str]) -> Result<Member, ControlFileError> {
        let size = row.get(1).and_then(|size| size.parse().ok());
        let ([_, _, .., name], Some(size)) = (row, size) else {
            let row = row.join(" ");
            return Err(self.malformed(format!(
                "`{}` in `{field}` is no file with its size",
                short(&row)
            )));
        };
        if name.contains(['/', '\0']) || [".", ".."].contains(name) {
            return Err(ControlFileError::Escape {
                path: self.path.clone(),
                name: short(name),
            });
        }
        Ok(Member {
            name: (*name).to_owned(),
            size,
        })
    }

    /// All fields as JSON: texts, and for the fields that list files an array of objects.
    pub(crate) fn fields(&self) -> Value {
        let value = |(name, text): (&str, &str)| {
            let value =
                columns(name).map_or_else(|| text.trim().into(), |columns| table(text, &columns));
            (name.to_owned(), value)
        };
        Value::Object(self.paragraph.iter().map(value).collect())
    }

    fn malformed(&self, reason: String) -> ControlFileError {
        ControlFileError::Malformed {
            path: self.path.clone(),
            reason,
        }
    }
}

/// The one paragraph of `text`; what a signature does not cover is not read.
fn parse(text: &str) -> Result<Paragraph, String> {
    let unsigned = signed_part(text)?;
    let parsed: Deb822 =
        unsigned
            .as_deref()
            .unwrap_or(text)
            .parse()
            .map_err(|error| match error {
                ParseError::UnexpectedToken(line) => {
                    format!("the line `{}` is no field", short(&line))
                }
                other => other.to_string(),
            })?;
    let mut paragraphs = parsed.into_iter();
    let paragraph = paragraphs.next().ok_or("it is empty")?;
    if paragraphs.next().is_some() {
        return Err("it has more than one paragraph".to_owned());
    }
    let mut names: Vec<_> = paragraph
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    names.sort_unstable();
    // Readers differ in which of the two they take.
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("it has the field `{}` twice", short(&pair[0]))),
        None => Ok(paragraph),
    }
}

/// What a clear-signed text signs; `None` for a text that is not signed.
fn signed_part(text: &str) -> Result<Option<String>, String> {
    let mut lines = text.lines().map(str::trim_end);
    if lines.find(|line| !line.is_empty()) != Some(SIGNED_START) {
        return Ok(None);
    }
    // The armour has headers of its own, up to an empty line.
    lines.find(|line| line.is_empty());
    let mut signed = String::new();
    for line in lines {
        if line == SIGNATURE_START {
            return Ok(Some(signed));
        }
        // RFC 9580, 7.2: a line that starts with a dash is signed without the `- ` before it.
        signed.push_str(line.strip_prefix("- ").unwrap_or(line));
        signed.push('\n');
    }
    Err("it is signed, and ends before its signature".to_owned())
}

/// What the columns of a field that lists files are called, the name apart, which is the last.
fn columns(field: &str) -> Option<Vec<String>> {
    let field = field.to_ascii_lowercase();
    let columns = match field.strip_prefix("checksums-") {
        Some(hash) => vec![hash, "size"],
        None if field == "files" => vec!["md5sum", "size", "section", "priority"],
        None => return None,
    };
    Some(columns.into_iter().map(str::to_owned).collect())
}

fn table(text: &str, columns: &[String]) -> Value {
    let object = |row: Vec<&str>| {
        let (name, cells) = row.split_last()?;
        let cells = columns
            .iter()
            .zip(cells)
            .map(|(column, cell)| (column.clone(), (*cell).into()));
        let mut object: Map<String, Value> = cells.collect();
        object.insert("name".to_owned(), (*name).into());
        Some(Value::Object(object))
    };
    rows(text).filter_map(object).collect()
}

fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|row| !row.is_empty())
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" or ")
}

/// The start of a text that may be long and may hold anything, for a message.
fn short(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests;
