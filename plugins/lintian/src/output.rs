//! Reads what `lintian --info --show-overrides` prints.
//!
//! A tag is one line, `E: package: tag note [pointer]`. Before it may stand the maintainer's comment on an override,
//! each line after `N: `. After it, where a tag comes for the first time, its explanation is indented further.

use crate::{severity::Severity, tag::Tag};
use std::{collections::BTreeMap, path::Path};
use taskbay_plugin_api::TaskError;

/// The types that lintian names after a package. A plain binary package has none.
const TYPES: [&str; 4] = ["source", "udeb", "changes", "buildinfo"];

/// The tags in `text`, which is the content of `file`, in the order of [`Tag`].
///
/// # Errors
///
/// When a line is none that lintian prints: the error names it.
pub(crate) fn parse(file: &Path, text: &str) -> Result<Vec<Tag>, TaskError> {
    let mut reader = Reader::default();
    for (number, line) in (1..).zip(text.lines()) {
        reader.read(line).ok_or_else(|| {
            let file = file.display();
            TaskError::new(format!(
                "{file}:{number}: this is no line of lintian's output: `{line}`"
            ))
        })?;
    }
    Ok(reader.finish())
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reader<'a> {
    tags: Vec<Tag>,
    /// The lines that explain each tag.
    explanations: BTreeMap<&'a str, Vec<&'a str>>,
    /// The tag of the last line that named one: what follows explains it.
    named: Option<&'a str>,
    /// The lines that comment on the next tag.
    comment: Vec<&'a str>,
    /// Whether the line before was a note.
    after_note: bool,
}

impl<'a> Reader<'a> {
    /// Reads a line; none when it makes no sense.
    fn read(&mut self, line: &'a str) -> Option<()> {
        let note = line.strip_prefix("N:");
        match note {
            Some(note) => self.note(note),
            None => self.tag(line)?,
        }
        self.after_note = note.is_some();
        Some(())
    }

    fn note(&mut self, note: &'a str) {
        let note = note.trim_end();
        let explains = note.is_empty() || note.starts_with("  ");
        if !explains {
            self.comment.push(note.trim_start());
        } else if let Some(tag) = self.named {
            let line = note.strip_prefix("   ").unwrap_or(note);
            self.explanations.entry(tag).or_default().push(line);
        }
    }

    fn tag(&mut self, line: &'a str) -> Option<()> {
        let (letter, rest) = line.split_once(": ")?;
        let severity = Severity::of_letter(letter);
        // Masked: lintian itself holds the tag for a false alarm.
        if severity.is_none() && letter != "M" {
            return None;
        }
        let Some((package, rest)) = rest.split_once(": ") else {
            // Older versions repeat the tag alone above its explanation.
            let repeats = self.after_note && is_word(rest);
            self.named = Some(rest).filter(|_| repeats);
            return repeats.then_some(());
        };
        let (tag, context) = rest.split_once(' ').unwrap_or((rest, ""));
        if !is_package(package) || !is_word(tag) {
            return None;
        }
        self.named = Some(tag);
        let comment = std::mem::take(&mut self.comment).join("\n");
        let (note, pointer) = split_pointer(context);
        self.tags.extend(severity.map(|severity| Tag {
            package: package.to_owned(),
            severity,
            name: tag.to_owned(),
            note: note.to_owned(),
            pointer: pointer.to_owned(),
            explanation: String::new(),
            comment,
        }));
        Some(())
    }

    /// The tags, each with its explanation: lintian prints one only where the tag comes for the first time.
    fn finish(mut self) -> Vec<Tag> {
        for tag in &mut self.tags {
            if let Some(lines) = self.explanations.get(tag.name.as_str()) {
                let lines = lines.join("\n");
                lines.trim_matches('\n').clone_into(&mut tag.explanation);
            }
        }
        self.tags.sort();
        self.tags
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

fn is_package(text: &str) -> bool {
    match text.split_once(' ') {
        Some((name, kind)) => is_word(name) && TYPES.contains(&kind),
        None => is_word(text),
    }
}

/// Takes the pointer, in brackets, from the end of what follows a tag. The file that it names may have brackets itself.
fn split_pointer(context: &str) -> (&str, &str) {
    let Some(inner) = context.strip_suffix(']') else {
        return (context, "");
    };
    let mut depth = 1;
    let balanced = inner.rfind(|letter| {
        match letter {
            ']' => depth += 1,
            '[' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    match balanced.or_else(|| inner.find('[')) {
        Some(0) => ("", &inner[1..]),
        Some(at) if inner[..at].ends_with(' ') => (inner[..at].trim_end(), &inner[at + 1..]),
        _ => (context, ""),
    }
}

#[cfg(test)]
mod tests;
