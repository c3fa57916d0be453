//! An engine's address, which may be shown: its password is left out.

use std::fmt;

/// Whether an engine's URL has a password, or may have one: in its login, or among its options.
pub fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (address, options) = parts(rest);
    let login = address.rsplit_once('@').map(|(login, _)| login);
    login.is_some_and(|login| login.contains(':'))
        || options.is_some_and(|options| unescape(options).contains("password="))
}

/// The address and the options of a URL without its scheme. A password may contain `/`, `?` and `@` where its writer forgot
/// to escape them: all up to the last `@` is suspect.
fn parts(rest: &str) -> (&str, Option<&str>) {
    match rest.rsplit_once('?') {
        Some((address, options)) if !options.contains('@') || !address.contains(':') => {
            (address, Some(options))
        }
        _ => (rest, None),
    }
}

/// The text with what is written as `%64` as what it means, where that is ASCII.
fn unescape(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2);
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) if code.is_ascii() => {
                plain.push(code.into());
                plain.push_str(&part[2..]);
            }
            _ => {
                plain.push('%');
                plain.push_str(part);
            }
        }
    }
    plain
}

/// An engine's URL without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place(String);

impl Place {
    /// What may be shown of the URL. It need not be a valid one: a secret in a mistyped URL is still a secret.
    pub(crate) fn of(url: &str) -> Self {
        let Some((scheme, rest)) = url.split_once("://") else {
            // Perhaps a mistyped URL: keep what stands before anything that could be a secret.
            let shown: String = url
                .chars()
                .take_while(|each| !":@?=".contains(*each))
                .collect();
            let cut = if shown.len() < url.len() { "…" } else { "" };
            return Self(format!("{shown}{cut}"));
        };
        if scheme == "sqlite" {
            return Self(url.to_owned());
        }
        let (address, options) = parts(rest);
        let address = match address.rsplit_once('@') {
            Some((login, host)) => format!("{}@{host}", redact_login(login)),
            None => address.to_owned(),
        };
        let options = options.map(redact_options).unwrap_or_default();
        Self(format!("{scheme}://{address}{options}"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn redact_login(login: &str) -> String {
    match login.split_once(':') {
        Some((user, _)) => format!("{user}:***"),
        None => login.to_owned(),
    }
}

/// Options that are known to be harmless are shown.
fn redact_options(options: &str) -> String {
    let shown = |option: &str| {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        let harmless = [
            "host",
            "port",
            "user",
            "dbname",
            "sslmode",
            "application_name",
        ];
        let value = if harmless.contains(&key) {
            value
        } else {
            "***"
        };
        format!("{key}={value}")
    };
    let all: Vec<_> = options.split('&').map(shown).collect();
    format!("?{}", all.join("&"))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: &str) {
        assert_eq!(Place::of(url).as_str(), expected);
    }

    #[test]
    fn passwords_are_not_shown() {
        check("sqlite:///var/q.db", "sqlite:///var/q.db");
        check("postgres://h/db", "postgres://h/db");
        check("postgres://u:secret@h:1/db", "postgres://u:***@h:1/db");
        check("postgres://u:se/c@r?e@t@h/db", "postgres://u:***@h/db");
        check(
            "postgres://u@h/db?host=/run&password=secret",
            "postgres://u@h/db?host=/run&password=***",
        );
        check("mysql://u:secret@h", "mysql://u:***@h");
        check("postgres:u:secret@h", "postgres…");
        check("host=h password=secret", "host…");
    }

    #[test]
    fn passwords_are_found_wherever_they_stand() {
        for url in [
            "postgres://u:p@host/db",
            "postgresql://u:@host",
            "postgres://u:p/w@host/db",
            "postgres://u:p?w@host/db",
            "postgres://host/db?user=u&password=p",
            "postgres://host/db?passwor%64=p",
            "postgres://host/db?%70assword%3dp",
        ] {
            assert!(has_password(url), "{url}");
        }
        for url in [
            "postgres://u@host:5432/db",
            "postgres://host:5432/db",
            "postgres:///db?host=/run/a:b@c",
            "postgres:///db?host=%2Frun%2Fpostgresql&user=%zz",
            "sqlite:///var/lib/taskbay.db",
        ] {
            assert!(!has_password(url), "{url}");
        }
    }
}
