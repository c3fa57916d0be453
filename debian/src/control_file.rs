//! A control file: a `.dsc` or `.changes`, which names the files that belong to it, with or without a signature.

use crate::{
    Paragraph, RegularFileError, open,
    paragraph::short,
    table::{self, rows},
};
use serde_json::Value;
use std::{
    io::Read,
    path::{Path, PathBuf},
};

/// More than any real control file has; a bound for the memory that reading one may take.
const SIZE_LIMIT: u64 = 16 << 20;
/// The fields that name files.
const FILE_FIELDS: [&str; 2] = [SHA256_FIELD, "Files"];
const SHA256_FIELD: &str = "Checksums-Sha256";
const SIGNED_START: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE_START: &str = "-----BEGIN PGP SIGNATURE-----";

/// A control file that has been read.
#[derive(Debug)]
pub struct ControlFile {
    path: PathBuf,
    paragraph: Paragraph,
}

/// A file that a control file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name: a plain one, beside the control file.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content in hexadecimal, where the field that names it says one.
    pub sha256: Option<String>,
}

/// Why a control file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ControlFileError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] RegularFileError),
    /// What it says is no control file.
    #[error("{}: {reason}; build the package again, or fetch it anew", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It names a file elsewhere.
    #[error(
        "{}: it names `{name}` as a file of it, and only plain file names beside it are taken; do not trust it, or \
         correct it", path.display()
    )]
    Escape {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
}

impl ControlFile {
    /// Reads one. What a signature does not cover is not read, and no signature is verified.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self, ControlFileError> {
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

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its fields.
    pub fn paragraph(&self) -> &Paragraph {
        &self.paragraph
    }

    /// The value of a field that has to be there, without the blanks around it.
    ///
    /// # Errors
    ///
    /// When it is missing or empty.
    pub fn field(&self, name: &str) -> Result<&str, ControlFileError> {
        let value = self
            .paragraph
            .get(name)
            .map(str::trim)
            .filter(|value| !value.is_empty());
        value.ok_or_else(|| self.malformed(format!("it has no field `{name}`")))
    }

    /// The files that it names. One that two fields name comes twice, since what they say may differ.
    ///
    /// # Errors
    ///
    /// When it names none, or one that is not a plain name beside it.
    pub fn members(&self) -> Result<Vec<Member>, ControlFileError> {
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
            sha256: (field == SHA256_FIELD).then(|| row[0].to_ascii_lowercase()),
        })
    }

    /// All fields as JSON: texts, and for the fields that list files or packages an array of objects.
    pub fn fields(&self) -> Value {
        let fields = self.paragraph.iter();
        let named = fields.map(|(name, text)| (name.to_owned(), table::value(name, text)));
        Value::Object(named.collect())
    }

    pub(crate) fn malformed(&self, reason: String) -> ControlFileError {
        ControlFileError::Malformed {
            path: self.path.clone(),
            reason,
        }
    }
}

/// The one paragraph of `text`; what a signature does not cover is not read.
fn parse(text: &str) -> Result<Paragraph, String> {
    let unsigned = signed_part(text)?;
    let paragraphs = Paragraph::parse_all(unsigned.as_deref().unwrap_or(text));
    let mut paragraphs = paragraphs.map_err(|error| error.to_string())?.into_iter();
    let paragraph = paragraphs.next().ok_or("it is empty")?;
    match paragraphs.next() {
        Some(_) => Err("it has more than one paragraph".to_owned()),
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

fn quoted(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" or ")
}

#[cfg(test)]
mod tests;
