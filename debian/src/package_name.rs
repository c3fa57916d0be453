//! Names of packages. A tool of Debian's would take some other texts for an option, or for a path.

/// Whether it is the name of a package, and can be that of a directory.
pub fn is_package_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Whether apt takes it as the name of a package, with an architecture, a version or a release of it.
pub(crate) fn is_package_choice(word: &str) -> bool {
    let (name, rest) = word.split_at(word.find([':', '=', '/']).unwrap_or(word.len()));
    is_package_name(name)
        && rest
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.:=~/".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_or_a_path_is_no_package() {
        for name in ["hello", "g++", "libc6-dev", "0ad", "python3.11"] {
            assert!(is_package_name(name) && is_package_choice(name), "{name}");
        }
        for word in ["hello:i386", "hello=1:2.0~rc1-1", "hello/sid"] {
            assert!(!is_package_name(word) && is_package_choice(word), "{word}");
        }
        for word in [
            "",
            "-oA::B=/c",
            "./a.deb",
            "/a",
            "a b",
            "a,b",
            "+a",
            "~n",
            "a\n",
        ] {
            assert!(!is_package_name(word) && !is_package_choice(word), "{word}");
        }
    }
}
