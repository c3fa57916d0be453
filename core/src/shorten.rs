//! Others' texts in messages: whatever they are, the message stays readable.

use std::borrow::Cow;

/// The text as part of a message: the middle cut out where it has more than `longest` characters, since what is wrong
/// tends to stand at the end, and control characters written as escapes, since a terminal would obey them.
pub fn shorten(text: &str, longest: usize) -> Cow<'_, str> {
    match cut(text, longest) {
        Cow::Borrowed(text) => escape(text),
        Cow::Owned(text) => escape(&text).into_owned().into(),
    }
}

/// The text with the middle cut out where it has more than `longest` characters.
pub(crate) fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    let length = text.chars().count();
    if length > longest {
        let kept = longest / 2;
        let head: String = text.chars().take(kept).collect();
        let tail: String = text.chars().skip(length - kept).collect();
        return format!("{head}…{tail}").into();
    }
    text.into()
}

/// The text as one line: control characters but tabs are written as escapes, since a terminal would obey them, and a line
/// break would make up a line of its own.
pub fn escape(text: &str) -> Cow<'_, str> {
    let is_obeyed = |each: char| each.is_control() && each != '\t';
    if !text.contains(is_obeyed) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len());
    for each in text.chars() {
        if is_obeyed(each) {
            escaped.extend(each.escape_default());
        } else {
            escaped.push(each);
        }
    }
    escaped.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_cut_out() {
        assert_eq!(shorten("four", 4), "four");
        assert_eq!(shorten("fünfe", 4), "fü…fe");
        assert_eq!(shorten("", 0), "");
    }

    #[test]
    fn terminals_get_nothing_to_obey() {
        assert_eq!(shorten("\u{1b}[2Jnoop\u{9b}", 99), "\\u{1b}[2Jnoop\\u{9b}");
        assert_eq!(shorten("a\nb\tc", 99), "a\\nb\tc");
        assert_eq!(shorten("größer `…`", 99), "größer `…`");
    }
}
