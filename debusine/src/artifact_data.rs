//! The data of artifacts, as a server takes it.

use crate::{dialect::Dialect, upload::Draft};

/// What a later server knows of an artifact, and 0.11.3 does not: it takes that unseen, and can then read nothing of the
/// artifact any more.
const LATER: [(&str, &str); 8] = [
    ("debian:blhc", "architecture"),
    ("debian:blhc", "source"),
    ("debian:blhc", "version"),
    ("debian:debdiff", "label"),
    ("debian:lintian", "architecture"),
    ("debian:package-build-log", "architecture"),
    ("debian:system-image", "components"),
    ("debian:system-tarball", "components"),
];

/// What no worker of a version gives: 0.11.3 knows nothing of debug symbols and reports of piuparts, and to later ones packages
/// are given each for itself alone.
const NOT_GIVEN: [(Dialect, &str); 3] = [
    (Dialect::Plain, "debian:debug-symbols"),
    (Dialect::Plain, "debian:piuparts"),
    (Dialect::Scoped, "debian:binary-packages"),
];

/// Whether artifacts of that category are given to a server.
pub(crate) fn is_given(dialect: Dialect, category: &str) -> bool {
    !NOT_GIVEN.contains(&(dialect, category))
}

/// Makes the data of an artifact that of one which a server takes: without what it does not know, and with what a task cannot
/// know, the address of the source package that it tested.
pub(crate) fn know(dialect: Dialect, draft: &mut Draft, source: Option<String>) {
    let category = draft.category.as_str();
    if let (Dialect::Plain, Some(members)) = (dialect, draft.data.as_object_mut()) {
        members.retain(|key, _| !LATER.contains(&(category, key)));
    }
    if category != "debian:autopkgtest" {
        return;
    }
    let url = draft.data.pointer_mut("/source_package/url");
    if let (Some(url), Some(source)) = (url, source)
        && url == ""
    {
        *url = source.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn known(dialect: Dialect, category: &str, data: &Value) -> Value {
        let mut draft = Draft {
            category: category.to_owned(),
            data: data.clone(),
            files: Vec::new(),
        };
        know(dialect, &mut draft, Some("http://s/a.dsc".to_owned()));
        draft.data
    }

    #[test]
    fn an_older_server_is_told_what_it_knows() {
        let data = json!({"architecture": "amd64", "components": ["main"]});
        for (category, expected) in [
            ("debian:lintian", json!({"components": ["main"]})),
            ("debian:system-image", json!({"architecture": "amd64"})),
            ("debian:system-tarball", json!({"architecture": "amd64"})),
            ("debian:package-build-log", json!({"components": ["main"]})),
            ("debian:blhc", json!({"components": ["main"]})),
            ("debian:autopkgtest", data.clone()),
        ] {
            assert_eq!(known(Dialect::Plain, category, &data), expected);
            assert_eq!(known(Dialect::Scoped, category, &data), data);
        }
    }

    #[test]
    fn a_server_is_given_what_its_own_worker_gives() {
        for (category, plain, scoped) in [
            ("debian:piuparts", false, true),
            ("debian:debug-symbols", false, true),
            ("debian:binary-packages", true, false),
            ("debian:binary-package", true, true),
        ] {
            let given =
                [Dialect::Plain, Dialect::Scoped].map(|dialect| is_given(dialect, category));
            assert_eq!(given, [plain, scoped], "{category}");
        }
    }

    #[test]
    fn a_server_is_told_where_it_has_the_package() {
        for (url, expected) in [("", "http://s/a.dsc"), ("http://b", "http://b")] {
            let data = json!({"source_package": {"name": "a", "url": url}});
            let known = known(Dialect::Scoped, "debian:autopkgtest", &data);
            assert_eq!(known["source_package"]["url"], expected);
        }
        let other = json!({"source_package": {"url": ""}});
        assert_eq!(known(Dialect::Scoped, "debian:piuparts", &other), other);
    }
}
