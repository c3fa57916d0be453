//! Artifacts in the words of a label.

use taskbay_plugin_api::Lookup;

/// The artifact that a lookup names: a local file by its name alone, and one of the store by its number.
pub fn in_words(lookup: &Lookup) -> String {
    let file = lookup.local_path().and_then(|path| path.file_name());
    match (file, lookup) {
        (Some(name), _) => name.to_string_lossy().into_owned(),
        (None, Lookup::Id(id)) => format!("artifact {id}"),
        (None, other) => other.to_string(),
    }
}

/// The artifacts that lookups name: the first, and how many more.
pub fn all_in_words<'a>(lookups: impl IntoIterator<Item = &'a Lookup>) -> String {
    let mut lookups = lookups.into_iter();
    let first = lookups.next().map(in_words);
    match (first, lookups.count()) {
        (None, _) => "nothing".to_owned(),
        (Some(first), 0) => first,
        (Some(first), more) => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_names_of_files_and_numbers_of_artifacts() {
        let text = |text: &str| Lookup::Text(text.to_owned());
        assert_eq!(in_words(&text("./build/hello.dsc")), "hello.dsc");
        assert_eq!(in_words(&text("file:///")), "file:///");
        assert_eq!(
            in_words(&text("debian/match:codename=sid")),
            "debian/match:codename=sid"
        );
        assert_eq!(in_words(&Lookup::Id(7)), "artifact 7");
        assert_eq!(all_in_words(&[]), "nothing");
        assert_eq!(all_in_words(&[text("/a.deb")]), "a.deb");
        assert_eq!(
            all_in_words(&[text("/a.deb"), Lookup::Id(1), Lookup::Id(2)]),
            "a.deb and 2 more"
        );
    }
}
