//! How task data names an environment by what it is.

use std::collections::BTreeMap;
use taskbay_core::Lookup;

/// What separates the collection from the properties.
const MATCH: &str = "/match:";
/// The properties that are data of a `debian:system-tarball`.
const PROPERTIES: [&str; 3] = ["codename", "architecture", "variant"];
/// Properties that every environment here has.
const GIVEN: [(&str, &str); 2] = [("format", "tarball"), ("backend", "unshare")];

/// Names the newest environment with some properties: `debian/match:codename=bookworm:architecture=amd64:variant=buildd`,
/// as Debusine has it. The part before the slash is the vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentLookup {
    data: BTreeMap<String, String>,
}

/// Why a text names no environment.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{lookup}` names no environment: {reason}, as in `debian/match:codename=bookworm:variant=buildd`"
)]
pub struct EnvironmentLookupError {
    lookup: String,
    reason: String,
}

impl EnvironmentLookup {
    /// The category of the artifacts that are environments.
    pub const CATEGORY: &'static str = "debian:system-tarball";

    /// What `lookup` asks for; none where it has another form.
    pub fn parse(lookup: &Lookup) -> Option<Result<Self, EnvironmentLookupError>> {
        let Lookup::Text(text) = lookup else {
            return None;
        };
        if lookup.local_path().is_some() {
            return None;
        }
        let (vendor, properties) = text.split_once(MATCH)?;
        let parsed = data(vendor, properties).map(|data| Self { data });
        Some(parsed.map_err(|reason| EnvironmentLookupError {
            lookup: text.clone(),
            reason,
        }))
    }

    /// The data that an artifact must have.
    pub fn data(&self) -> &BTreeMap<String, String> {
        &self.data
    }
}

/// The lookup of an environment of that architecture, where it asks for none itself.
pub(crate) fn with_architecture(lookup: &Lookup, architecture: Option<&str>) -> Lookup {
    match (EnvironmentLookup::parse(lookup), architecture) {
        (Some(Ok(wanted)), Some(architecture)) if !wanted.data.contains_key("architecture") => {
            Lookup::Text(format!("{lookup}:architecture={architecture}"))
        }
        _ => lookup.clone(),
    }
}

fn data(vendor: &str, properties: &str) -> Result<BTreeMap<String, String>, String> {
    let mut data = BTreeMap::new();
    data.insert("vendor".to_owned(), vendor.to_owned());
    for property in properties.split(':') {
        let (key, value) = property
            .split_once('=')
            .filter(|(_, value)| !value.is_empty())
            .ok_or_else(|| format!("`{property}` has no value; write KEY=VALUE"))?;
        if let Some((_, given)) = GIVEN.iter().find(|(given, _)| *given == key) {
            if value != *given {
                return Err(format!("its `{key}` can only be `{given}`"));
            }
        } else if !PROPERTIES.contains(&key) {
            let known = PROPERTIES.join("`, `");
            return Err(format!("`{key}` is no property; use `{known}`"));
        } else if data.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(format!("`{key}` stands in it twice"));
        }
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Result<EnvironmentLookup, EnvironmentLookupError>> {
        EnvironmentLookup::parse(&Lookup::Text(text.to_owned()))
    }

    fn refused(text: &str) -> String {
        parse(text).unwrap().unwrap_err().to_string()
    }

    #[test]
    fn reads_properties_as_debusine_writes_them() {
        let found = parse("debian/match:codename=bookworm:architecture=amd64:format=tarball");
        let data = serde_json::to_value(found.unwrap().unwrap().data()).unwrap();
        let wanted = serde_json::json!({"vendor": "debian", "codename": "bookworm", "architecture": "amd64"});
        assert_eq!(data, wanted);
        assert!(parse("./debian/match:codename=sid").is_none());
        assert!(parse("debian").is_none());
        assert!(EnvironmentLookup::parse(&Lookup::Id(1)).is_none());
    }

    #[test]
    fn says_what_is_wrong_with_a_property() {
        for (text, words) in [
            ("debian/match:codename", "`codename` has no value"),
            ("debian/match:", "`` has no value"),
            ("debian/match:codename=", "`codename=` has no value"),
            (
                "debian/match:suite=sid",
                "`suite` is no property; use `codename`",
            ),
            (
                "debian/match:format=image",
                "its `format` can only be `tarball`",
            ),
            (
                "debian/match:codename=a:codename=b",
                "`codename` stands in it twice",
            ),
        ] {
            let message = refused(text);
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn an_architecture_is_added_where_none_is_asked_for() {
        let with = |text: &str| {
            with_architecture(&Lookup::Text(text.to_owned()), Some("amd64")).to_string()
        };
        let sid = "debian/match:codename=sid";
        assert_eq!(with(sid), "debian/match:codename=sid:architecture=amd64");
        let other = "debian/match:architecture=arm64";
        assert_eq!(with(other), other);
        assert_eq!(with("./x.tar"), "./x.tar");
        assert_eq!(
            with_architecture(&Lookup::Id(3), Some("amd64")),
            Lookup::Id(3)
        );
    }
}
