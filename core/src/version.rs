//! Versions: of the interface, and of a task. (The manifest's own format is [`MANIFEST_FORMAT`](crate::MANIFEST_FORMAT).)

use crate::shorten;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt, str::FromStr};

/// A version of the plugin interface, which is the version of `taskbay-plugin-api`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApiVersion {
    /// Another major version is another, incompatible interface.
    pub major: u32,
    /// A higher minor version only appends.
    pub minor: u32,
    /// A patch changes nothing that crosses.
    pub patch: u32,
}

/// Why a text is no interface version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no version of the form MAJOR.MINOR.PATCH", shorten(.0, 100))]
pub struct VersionError(String);

impl FromStr for ApiVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let mut parts = text.split('.').map(str::parse::<u32>);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) => Ok(Self {
                major,
                minor,
                patch,
            }),
            _ => Err(VersionError(text.to_owned())),
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl TryFrom<String> for ApiVersion {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<ApiVersion> for String {
    fn from(version: ApiVersion) -> Self {
        version.to_string()
    }
}

/// Whether what a worker reported as a task's version is `version`: the numbers `1` and `1.0` are 1; the text `"1"`,
/// `true` and null are not.
pub fn is_version(reported: &Value, version: u32) -> bool {
    match reported {
        Value::Number(number) => {
            number.as_u64() == Some(u64::from(version))
                || number.as_f64() == Some(f64::from(version))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_numbers_equal_a_version() {
        for equal in [json!(1), json!(1.0)] {
            assert!(is_version(&equal, 1), "{equal}");
        }
        for unequal in [
            json!("1"),
            json!(true),
            json!(null),
            json!([1]),
            json!(2),
            json!(1.5),
            json!(-1),
        ] {
            assert!(!is_version(&unequal, 1), "{unequal}");
        }
        assert!(!is_version(&json!(false), 0));
    }

    #[test]
    fn api_versions_are_three_numbers() {
        let version: ApiVersion = "1.20.3".parse().unwrap();
        assert_eq!(version.to_string(), "1.20.3");
        for wrong in ["", "1", "1.0", "1.0.0.0", "1.0.x", "-1.0.0", "1.0.0-rc1"] {
            assert!(wrong.parse::<ApiVersion>().is_err(), "{wrong}");
        }
    }
}
