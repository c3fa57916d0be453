//! Moments, as the database's clock has them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{
    fmt,
    time::{Duration, UNIX_EPOCH},
};

/// A moment, in milliseconds since 1970-01-01 UTC. As text and in JSON it is RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// How long ago another moment was; nothing where that is still to come.
    pub fn since(self, earlier: Self) -> Duration {
        span(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = Duration::from_millis(u64::try_from(self.0).unwrap_or(0));
        // The year 9999 is where RFC 3339 ends.
        let last = Duration::from_secs(253_402_300_799);
        humantime::format_rfc3339_millis(UNIX_EPOCH + since.min(last)).fmt(f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = humantime::parse_rfc3339(&text).map_err(D::Error::custom)?;
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self(millis(since)))
    }
}

/// A span in milliseconds, for the database.
pub(crate) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis())
        .unwrap_or(i64::MAX / 4)
        .min(i64::MAX / 4)
}

/// A span that the database keeps in milliseconds.
pub(crate) fn span(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_their_distance() {
        let (before, after) = (Timestamp(1_000), Timestamp(3_500));
        assert_eq!(after.since(before), Duration::from_millis(2_500));
        assert_eq!(before.since(after), Duration::ZERO);
    }

    #[test]
    fn crosses_as_rfc_3339() {
        let text = serde_json::to_string(&Timestamp(1_700_000_000_123)).unwrap();
        assert_eq!(text, r#""2023-11-14T22:13:20.123Z""#);
        let back: Timestamp = serde_json::from_str(&text).unwrap();
        assert_eq!(back, Timestamp(1_700_000_000_123));
        assert_eq!(Timestamp(i64::MAX).to_string(), "9999-12-31T23:59:59.000Z");
    }
}
