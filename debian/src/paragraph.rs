//! A paragraph of fields, the syntax that Debian's control files share.
//!
//! The value of a field keeps its further lines as they stand, since their indentation says something in descriptions and
//! lists of changes; `deb822-fast` drops it.

/// The fields of one paragraph, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paragraph {
    fields: Vec<(String, String)>,
}

/// More fields than any real paragraph has.
const FIELDS_LIMIT: usize = 1000;

/// Why a text is no sequence of paragraphs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParagraphError {
    /// A line that is neither a field nor goes on with one.
    #[error("the line `{0}` is no field")]
    NoField(String),
    /// Readers differ in which of the two they take.
    #[error("it has the field `{0}` twice")]
    Twice(String),
    /// Comparing the names of so many fields would take long.
    #[error("it has more than {FIELDS_LIMIT} fields in one paragraph")]
    TooMany,
}

impl Paragraph {
    /// All paragraphs of a text. Lines that start with `#` are comments.
    ///
    /// # Errors
    ///
    /// When a line is no field, or a paragraph has one twice or far too many.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, ParagraphError> {
        let mut paragraphs = Vec::new();
        let mut current = Self::default();
        // The empty line at the end ends the last paragraph.
        for line in text.lines().chain([""]) {
            if line.starts_with('#') {
                continue;
            }
            if !line.trim().is_empty() {
                current.add_line(line)?;
            } else if !current.fields.is_empty() {
                paragraphs.push(std::mem::take(&mut current));
            }
        }
        Ok(paragraphs)
    }

    /// The value of a field: its first line without the blanks around it, then further lines as they stand.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.iter();
        let found = fields.find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    /// All fields with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.fields.iter();
        fields.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn add_line(&mut self, line: &str) -> Result<(), ParagraphError> {
        let no_field = || ParagraphError::NoField(short(line));
        let line = line.trim_end();
        if line.starts_with([' ', '\t']) {
            let (_, value) = self.fields.last_mut().ok_or_else(no_field)?;
            value.push('\n');
            value.push_str(line);
            return Ok(());
        }
        let (name, value) = line.split_once(':').ok_or_else(no_field)?;
        if name.is_empty() {
            return Err(no_field());
        }
        if self.get(name).is_some() {
            return Err(ParagraphError::Twice(short(name)));
        }
        if self.fields.len() == FIELDS_LIMIT {
            return Err(ParagraphError::TooMany);
        }
        let field = (name.to_owned(), value.trim_start().to_owned());
        self.fields.push(field);
        Ok(())
    }
}

/// The start of a text that may be long and may hold anything, for a message.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_further_lines_as_they_stand() {
        let text = "# a comment\n\nA:  one \nDescription: greets\n Prints:\n  a list\n .\n#no\n\tmore\nEmpty:\n\nB:\n two\n";
        let [first, second] = &Paragraph::parse_all(text).unwrap()[..] else {
            panic!("not two");
        };
        let fields: Vec<_> = first.iter().collect();
        assert_eq!(
            fields,
            [
                ("A", "one"),
                ("Description", "greets\n Prints:\n  a list\n .\n\tmore"),
                ("Empty", "")
            ]
        );
        assert_eq!(first.get("description"), first.get("Description"));
        assert_eq!(second.get("b"), Some("\n two"));
        assert_eq!(Paragraph::parse_all("\n#\n").unwrap(), []);
    }

    #[test]
    fn refuses_lines_that_are_no_fields() {
        let refused = |text: &str| Paragraph::parse_all(text).unwrap_err().to_string();
        assert_eq!(refused("A: 1\nhello\n"), "the line `hello` is no field");
        assert_eq!(refused(" A: 1\n"), "the line ` A: 1` is no field");
        assert_eq!(refused(": 1\n"), "the line `: 1` is no field");
        assert_eq!(refused("A: 1\na: 2\n"), "it has the field `a` twice");
    }

    #[test]
    fn refuses_so_many_fields_that_comparing_them_takes_long() {
        let fields = |number: usize| {
            let fields = (0..number).map(|n| format!("F{n}: 1\n"));
            fields.collect::<Vec<_>>().concat()
        };
        let two = format!("{}\n{}", fields(FIELDS_LIMIT), fields(FIELDS_LIMIT));
        assert_eq!(Paragraph::parse_all(&two).unwrap().len(), 2);
        let many = Paragraph::parse_all(&fields(FIELDS_LIMIT + 1)).map(|all| all.len());
        assert_eq!(
            many.unwrap_err().to_string(),
            "it has more than 1000 fields in one paragraph"
        );
    }
}
