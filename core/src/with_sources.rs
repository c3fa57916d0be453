//! An error with all that caused it, in one line.

use std::error::Error;

/// What an error says, and what each of its sources says, but for what was said already.
pub fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        // Some say again what their source says.
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Failed {
        text: &'static str,
        source: Option<Box<Failed>>,
    }

    #[test]
    fn says_everything_once() {
        let failed = |text, source: Option<Failed>| Failed {
            text,
            source: source.map(Box::new),
        };
        let deep = failed("no route", None);
        let middle = failed("cannot connect: no route", Some(deep));
        let error = failed("no database", Some(middle));
        assert_eq!(
            with_sources(&error),
            "no database: cannot connect: no route"
        );
    }
}
