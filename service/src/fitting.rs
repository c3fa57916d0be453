//! What is told to an engine, made small enough for it: plugins' messages have no limit of their own.

use std::borrow::Cow;
use taskbay_core::{OutcomeError, Reason};
use taskbay_engine::limits::{LONGEST_DOCUMENT, LONGEST_NAME};

/// How many errors, or reasons of one, stay of a list that is too large.
const MOST: usize = 8;
/// How many bytes stay of a message then.
const LONGEST: usize = 1024;

/// The errors, of which each message and the list itself are cut where an engine would refuse them.
pub(crate) fn errors(errors: &[OutcomeError]) -> Cow<'_, [OutcomeError]> {
    if fits(errors) {
        return errors.into();
    }
    let cut = |error: &OutcomeError| OutcomeError {
        code: error.code,
        message: cut(&error.message, LONGEST),
        reasons: few(&error.reasons),
        panicked: error.panicked,
    };
    errors.iter().take(MOST).map(cut).collect::<Vec<_>>().into()
}

/// The reasons, cut likewise.
pub(crate) fn reasons(reasons: Vec<Reason>) -> Vec<Reason> {
    if fits(&reasons) {
        return reasons;
    }
    few(&reasons)
}

/// Why a request is handed back.
pub(crate) fn release(reason: &str) -> String {
    cut(reason, LONGEST_NAME)
}

fn few(reasons: &[Reason]) -> Vec<Reason> {
    let few = reasons.iter().take(MOST);
    few.map(|reason| Reason {
        message: cut(&reason.message, LONGEST),
        // What may be as large as the message is not needed to understand it.
        wanted: None,
        found: None,
        ..reason.clone()
    })
    .collect()
}

fn fits(document: &(impl serde::Serialize + ?Sized)) -> bool {
    serde_json::to_string(document).is_ok_and(|text| text.len() <= LONGEST_DOCUMENT)
}

/// The text, with its middle cut out where it has more bytes than `longest`: what is wrong tends to stand at the end.
fn cut(text: &str, longest: usize) -> String {
    const MARK: &str = "…";
    if text.len() <= longest {
        return text.to_owned();
    }
    let kept = (longest - MARK.len()) / 2;
    let head = &text[..text.floor_char_boundary(kept)];
    let tail = &text[text.ceil_char_boundary(text.len() - kept)..];
    format!("{head}{MARK}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskbay_core::{ErrorCode, Outcome, ReasonCode};

    #[test]
    fn what_is_large_fits_and_what_fits_stays() {
        let small = Outcome::error(ErrorCode::ExecuteFailed, "no").errors;
        assert_eq!(errors(&small), small);
        // As large in JSON as texts can get.
        let text = "\u{1}".repeat(8 << 10);
        let reason = Reason::new(ReasonCode::Refused, &*text);
        let mut large = Outcome::error(ErrorCode::Unsuitable, &*text).errors;
        large[0].reasons = vec![reason; 20];
        let large = vec![large[0].clone(); 20];
        let made = errors(&large);
        assert!(fits(&made) && made.len() == MOST, "{}", made.len());
        assert!(fits(&reasons(large[0].reasons.clone())));
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("a long text", 9), "a l…ext");
        let made = release(&"ü".repeat(4000));
        assert!(
            made.len() <= LONGEST_NAME && made.starts_with('ü'),
            "{made}"
        );
    }
}
