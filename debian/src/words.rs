//! Artifacts in the words of a label.

use taskbay_plugin_api::{Lookup, Lookups, Selected};

/// The artifact that a lookup names: a local file by its name alone, and one of the store by its number.
pub fn in_words(lookup: &Lookup) -> String {
    let file = lookup.local_path().and_then(|path| path.file_name());
    match (file, lookup) {
        (Some(name), _) => name.to_string_lossy().into_owned(),
        (None, Lookup::Id(id)) => format!("artifact {id}"),
        (None, other) => other.to_string(),
    }
}

/// Each that is named, and what a query asks for by its collection.
pub fn each_in_words(lookups: &Lookups) -> impl Iterator<Item = String> {
    lookups.iter().map(|(_, selected)| match selected {
        Selected::Lookup(lookup) => in_words(lookup),
        Selected::Query(query) => format!("what is in {}", in_words(&query.collection)),
    })
}

/// Artifacts in words: the first, and how many more.
pub fn all_in_words(words: impl IntoIterator<Item = String>) -> String {
    let mut words = words.into_iter();
    let first = words.next();
    match (first, words.count()) {
        (None, _) => "nothing".to_owned(),
        (Some(first), 0) => first,
        (Some(first), more) => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
        assert_eq!(all_in_words([]), "nothing");
        let all = |data| {
            let lookups: Lookups = serde_json::from_value(data).unwrap();
            all_in_words(each_in_words(&lookups))
        };
        assert_eq!(all(json!(["/a.deb"])), "a.deb");
        assert_eq!(all(json!(["/a.deb", 1, 2])), "a.deb and 2 more");
        assert_eq!(
            all(json!({"collection": "trixie@debian:suite", "name": "x"})),
            "what is in trixie@debian:suite"
        );
    }
}
