//! Public keys as text, in the armour of RFC 9580.

/// How a key starts.
pub(crate) const START: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
/// How it ends.
pub(crate) const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// The public keys in a text, as apt finds them: several blocks, with headers in them and anything around them. What comes out
/// is the blocks alone, without the headers: nothing that a script or another file could take for something else. None where
/// there is no key, or one that is none.
pub(crate) fn public_keys(text: &str) -> Option<String> {
    let mut keys = String::new();
    let mut lines = text.lines().map(str::trim_end);
    while lines.any(|line| line == START) {
        let mut headers = lines.by_ref().take_while(|line| !line.is_empty());
        if !headers.all(|line| line.contains(':')) {
            return None;
        }
        let mut data = String::new();
        loop {
            match lines.next()? {
                END => break,
                "" => {}
                line if line.chars().all(is_base64) => data.extend([line, "\n"]),
                _ => return None,
            }
        }
        if data.is_empty() {
            return None;
        }
        keys.extend([START, "\n\n", &data, END, "\n"]);
    }
    (!keys.is_empty()).then_some(keys)
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(inside: &str) -> String {
        format!("{START}\n{inside}\n{END}\n")
    }

    #[test]
    fn blocks_are_found_as_apt_finds_them() {
        let plain = block("\nmQINBF\n+/a=\n=8yXk");
        let with = |headers: &str| block(&format!("{headers}\n\nmQINBF\n+/a=\n=8yXk"));
        for text in [
            plain.clone(),
            plain.replace('\n', "\r\n"),
            with("Version: 2 (x)"),
            with("Version:"),
            with("Comment: \nComment:"),
            with("A: b\u{1b}"),
            format!("A key.\nTASKBAY-END\n{plain}TASKBAY-END\nrm -rf x\n"),
            format!("-----BEGIN SOMETHING-----\n\nx\n-----END SOMETHING-----\n{plain}"),
        ] {
            assert_eq!(public_keys(&text).as_ref(), Some(&plain), "{text}");
        }
        let other = block("\nAAAA\n=8yXk");
        let two = format!("first\n{plain}second:\n\n{other}");
        assert_eq!(public_keys(&two), Some(plain + &other));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let good = block("\nmQINBF\n=8yXk");
        for text in [
            "",
            "KEY",
            START,
            &block(""),
            &block("\n"),
            &block("mQINBF"),
            &block("\nmQINBF\nTASKBAY-END\nrm -rf x"),
            &block("TASKBAY-END\nrm x: y\n\nmQINBF"),
            &block("Version: 2\n\nmQ: INBF"),
            &format!("{START}\n\nmQINBF\n"),
            &format!("{START}\n\nmQINBF\n{good}"),
            &format!("{good}{}", block("")),
        ] {
            assert_eq!(public_keys(text), None, "{text}");
        }
    }
}
