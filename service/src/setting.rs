//! Single settings as text: what a file may say, a flag may say too, and nothing else.

use std::time::Duration;
use taskbay_engine::limits::LONGEST_NAME;
use taskbay_worker::LONGEST;

/// The most requests that a worker may execute at a time.
pub const MOST_SLOTS: u32 = 1024;

/// A time such as `1m 30s`, or a plain number of seconds.
///
/// # Errors
///
/// What to write in its place.
pub fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok();
    let seconds = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match seconds.or_else(|| humantime::parse_duration(text).ok()) {
        Some(duration) if duration <= LONGEST => Ok(duration),
        Some(_) => Err("it is longer than a hundred years".to_owned()),
        None => Err("write a time such as `90s`, `5m` or `2h`, or a number of seconds".to_owned()),
    }
}

/// A limit, which must leave some time.
///
/// # Errors
///
/// What to write in its place.
pub fn limit(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("it must be longer than nothing".to_owned()),
        limit => Ok(limit),
    }
}

/// A lease, which must be long enough to be renewed in time.
///
/// # Errors
///
/// What to write in its place.
pub fn lease(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        lease if lease < Duration::from_secs(1) => Err("it must be a second or more".to_owned()),
        lease if lease > Duration::from_hours(24) => Err("it must be a day or less".to_owned()),
        lease => Ok(lease),
    }
}

/// An age, or `forever`.
///
/// # Errors
///
/// What to write in its place.
pub fn age(text: &str) -> Result<Duration, String> {
    match text {
        "forever" => Ok(Duration::MAX),
        text => duration(text),
    }
}

/// A worker's name.
///
/// # Errors
///
/// What is wrong with it.
pub fn worker_name(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.contains(char::is_control) {
        return Err("it contains control characters".to_owned());
    }
    if text.len() > LONGEST_NAME {
        return Err(format!("it has more than {LONGEST_NAME} bytes"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_or_are_seconds() {
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("0.5"), Ok(Duration::from_millis(500)));
        assert!(duration("-1").is_err());
        for long in ["1e19", "500000000000 years"] {
            assert!(duration(long).unwrap_err().contains("a hundred years"));
        }
        assert!(limit("0").is_err());
        assert!(
            duration("soon")
                .unwrap_err()
                .contains("write a time such as")
        );
    }

    #[test]
    fn leases_can_be_renewed() {
        assert_eq!(lease("1s"), Ok(Duration::from_secs(1)));
        assert_eq!(lease("1day"), Ok(Duration::from_hours(24)));
        assert!(lease("10ms").is_err());
        assert!(lease("3days").is_err());
    }

    #[test]
    fn a_worker_is_called_something() {
        assert_eq!(worker_name("größer"), Ok("größer".to_owned()));
        for name in ["", "a\u{1b}[2J", &"a".repeat(LONGEST_NAME + 1)] {
            assert!(worker_name(name).is_err(), "{name:?}");
        }
    }
}
