//! What is known of a system that was made.

use crate::{Paragraph, ParagraphError};
use serde_json::{Map, Value};

/// The installed packages with their versions, as dpkg's status file has them. One of which several architectures can be
/// installed at once has its own in its name.
pub(crate) fn packages(status: &str) -> Result<Value, ParagraphError> {
    let mut packages = Map::new();
    for package in Paragraph::parse_all(status)? {
        let get = |field| package.get(field).unwrap_or_default();
        if get("Status") != "install ok installed" {
            continue;
        }
        let mut name = get("Package").to_owned();
        if get("Multi-Arch") == "same" {
            name = format!("{name}:{}", get("Architecture"));
        }
        packages.insert(name, get("Version").into());
    }
    Ok(Value::Object(packages))
}

/// The value of a variable in an `os-release` file.
pub(crate) fn os_release<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let values = text.lines().filter_map(|line| line.split_once('='));
    let mut values = values.filter(|(variable, _)| *variable == name);
    values.next().map(|(_, value)| value.trim_matches('"'))
}

/// The code name of a system made from that suite. What calls itself testing may be unstable.
pub(crate) fn codename(suite: &str, release: &str) -> String {
    let suite = suite.trim_end_matches('/');
    if ["sid", "unstable"].contains(&suite) {
        return "sid".to_owned();
    }
    os_release(release, "VERSION_CODENAME")
        .unwrap_or(suite)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_came_out_of_a_system() {
        let status = "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nVersion: 2.36-9\n\n\
                  Package: dash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 0.5\nDescription: a\n  b\n\n\
                  Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n";
        assert_eq!(
            packages(status).unwrap(),
            json!({"libc6:amd64": "2.36-9", "dash": "0.5"})
        );
        let release = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n";
        assert_eq!(os_release(release, "ID"), Some("debian"));
        assert_eq!(codename("stable", release), "bookworm");
        assert_eq!(codename("unstable", release), "sid");
        assert_eq!(codename("forky", "ID=debian\n"), "forky");
    }
}
