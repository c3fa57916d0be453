//! The address of a Debusine server's API.

use std::{
    fmt::{self, Write as _},
    net::IpAddr,
};
use taskbay_engine::EngineError;

/// What stands before the API's address where it names an engine.
const PREFIX: &str = "debusine+";

/// The address of a Debusine server's API, such as `https://host/api`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    is_secure: bool,
    /// The host and, where it has one, the port.
    authority: String,
    /// Its path, without a slash at the end.
    path: String,
}

impl ServerUrl {
    /// Reads `https://host[:port]/api`, with or without `debusine+` before it. Plain `http` is taken for this machine alone,
    /// unless `allow_http` says otherwise: whoever is on the way could take the token, and say what is executed here.
    ///
    /// # Errors
    ///
    /// When it is no such address.
    pub fn parse(url: &str, allow_http: bool) -> Result<Self, EngineError> {
        let bad = |reason: &str| EngineError::BadUrl {
            // What stands before an `@` may be a secret.
            url: url
                .rsplit_once('@')
                .map_or(url, |(_, host)| host)
                .to_owned(),
            reason: reason.to_owned(),
        };
        let address = url.strip_prefix(PREFIX).unwrap_or(url);
        let (scheme, rest) = address
            .split_once("://")
            .ok_or_else(|| bad("write `debusine+https://host/api`"))?;
        let is_secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(bad("only `https` is spoken, and `http` on this machine")),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(bad("it has a login, but a worker's token is its login"));
        }
        let is_plain = |text: &str, more: &str| {
            text.chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let parsed = Self {
            is_secure,
            authority: authority.to_ascii_lowercase(),
            path: path.trim_end_matches('/').to_owned(),
        };
        if parsed.host().is_empty() || !is_plain(authority, "-._:[]") {
            return Err(bad("it names no host"));
        }
        if !is_plain(path, "-._~/") || path.split('/').any(|part| part == "..") {
            return Err(bad("its path is none of an API, such as `/api`"));
        }
        if !is_secure && !allow_http && !parsed.is_of_this_machine() {
            return Err(bad(
                "everybody on the way could read the worker's token and change what is executed; use `https`, or set \
                 `allow_http = true` under `[debusine]` in the configuration",
            ));
        }
        Ok(parsed)
    }

    /// Whether connections are encrypted.
    pub(crate) fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The host alone.
    pub(crate) fn host(&self) -> &str {
        let (host, _) = self.split();
        host.trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn port(&self) -> u16 {
        let (_, port) = self.split();
        port.and_then(|port| port.parse().ok())
            .unwrap_or(if self.is_secure { 443 } else { 80 })
    }

    /// The address of something in the API, such as `/1.0/artifact/`.
    pub(crate) fn of(&self, path: &str) -> String {
        format!("{}/{}{path}", self.origin(), self.path)
    }

    /// The address of a websocket in the API.
    pub(crate) fn websocket(&self, path: &str) -> String {
        self.of(path).replacen("http", "ws", 1)
    }

    /// The address of something that the server gives an address of: it is on this server, whatever the server takes its own
    /// name for, so that nobody else is told the token. None where it is on another host.
    pub(crate) fn on_this_server(&self, url: &str) -> Option<String> {
        if url.starts_with('/') && !url.starts_with("//") {
            return Some(format!("{}{url}", self.origin()));
        }
        let (scheme, rest) = url.split_once("://")?;
        let (authority, path) = rest.split_once('/')?;
        let host = authority
            .rsplit_once(':')
            .map_or(authority, |(host, port)| {
                if port.bytes().all(|byte| byte.is_ascii_digit()) {
                    host
                } else {
                    authority
                }
            });
        let is_here = host.trim_start_matches('[').trim_end_matches(']') == self.host();
        let is_http = matches!(scheme, "http" | "https");
        (is_here && is_http).then(|| format!("{}/{path}", self.origin()))
    }

    /// A name for a folder about this server, which no other has: a slash is `-`, and what is neither letter, digit nor dot is
    /// `_` and its number.
    pub(crate) fn slug(&self) -> String {
        let mut slug = String::new();
        for c in self.of("").replacen("://", "/", 1).chars() {
            if c.is_ascii_alphanumeric() || c == '.' {
                slug.push(c);
            } else if c == '/' {
                slug.push('-');
            } else {
                // Writing to a String cannot fail.
                let _ = write!(slug, "_{:02x}", u32::from(c));
            }
        }
        slug
    }

    fn origin(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }

    fn split(&self) -> (&str, Option<&str>) {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (&self.authority, None),
        }
    }

    fn is_of_this_machine(&self) -> bool {
        let host = self.host();
        host == "localhost"
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

/// As it names an engine.
impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.of(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn parse(url: &str) -> Result<ServerUrl, String> {
        ServerUrl::parse(url, false).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_is_taken_apart() {
        let url = parse("debusine+https://Host.example/api/").unwrap();
        assert_eq!(url.of("/1.0/x/"), "https://host.example/api/1.0/x/");
        assert_eq!(url.websocket("/ws/"), "wss://host.example/api/ws/");
        assert_eq!((url.host(), url.port()), ("host.example", 443));
        assert_eq!(url.to_string(), "debusine+https://host.example/api");
        assert_eq!(url.slug(), "https-host.example-api");
        let local = parse("http://[::1]:8370/api").unwrap();
        assert_eq!((local.host(), local.port()), ("::1", 8370));
        assert_eq!(local.websocket("/ws/"), "ws://[::1]:8370/api/ws/");
    }

    #[test]
    fn no_two_servers_share_a_folder() {
        let urls = [
            "https://a/b-c",
            "https://a/b/c",
            "https://a-b/c",
            "https://a:1/c",
            "https://a-1/c",
            "https://a/_3a1/c",
            "https://localhost/api",
            "http://localhost/api",
            "https://http/localhost/api",
        ];
        let slugs: BTreeSet<_> = urls.iter().map(|url| parse(url).unwrap().slug()).collect();
        assert_eq!(slugs.len(), urls.len(), "{slugs:?}");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (url, words) in [
            ("debusine+https://", "no host"),
            ("debusine+https:///api", "no host"),
            ("https://u:secret@host/api", "a login"),
            ("https://host/api?x=1", "path"),
            ("https://host/../api", "path"),
            ("ftp://host/api", "https"),
            ("debusine", "debusine+https"),
        ] {
            let error = parse(url).unwrap_err();
            assert!(error.contains(words), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_token_crosses_no_network_in_plain_text() {
        for url in [
            "http://localhost/api",
            "http://127.0.0.1:1/api",
            "http://[::1]/api",
        ] {
            assert!(parse(url).is_ok(), "{url}");
        }
        for url in [
            "http://host/api",
            "http://127.0.0.1.example/api",
            "http://10.0.0.1/api",
        ] {
            assert!(parse(url).unwrap_err().contains("allow_http"), "{url}");
            assert!(ServerUrl::parse(url, true).is_ok());
        }
    }

    #[test]
    fn files_are_on_the_server_itself() {
        let url = parse("https://host:8443/api").unwrap();
        let on = |text| url.on_this_server(text);
        let here = Some("https://host:8443/d/x".to_owned());
        assert_eq!(on("http://host/d/x"), here);
        assert_eq!(on("https://host:8443/d/x"), here);
        assert_eq!(on("/d/x"), here);
        for elsewhere in [
            "https://other/d/x",
            "//other/x",
            "file://host/x",
            "https://host",
            "x",
        ] {
            assert_eq!(on(elsewhere), None, "{elsewhere}");
        }
    }
}
