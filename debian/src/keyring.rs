//! The keys that the signature of a repository must be made with.

use crate::run_with_room;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_plugin_api::{Context, TaskError};

/// What apt has beside its programs.
const APT_HELPER: &str = "/usr/lib/apt/apt-helper";

/// Keys.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keyring {
    /// Where they are.
    url: String,
    /// The SHA-256 that they must have.
    #[serde(default)]
    sha256sum: Option<String>,
    /// Whether the system gets them too, to check the repository later.
    #[serde(default)]
    install: bool,
}

impl Keyring {
    /// What is wrong with it, each under its key.
    pub(crate) fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let mut faults = Vec::new();
        if !is_url_of_keys(&self.url) {
            let message = "must start with `http://` or `https://`, or be that of a file below /usr/share/keyrings or \
                           /usr/local/share/keyrings, as `file:///usr/share/keyrings/a.gpg`";
            faults.push(("url", message));
        }
        let is_sum = |sum: &str| sum.len() == 64 && sum.chars().all(|c| c.is_ascii_hexdigit());
        if self.sha256sum.as_deref().is_some_and(|sum| !is_sum(sum)) {
            faults.push(("sha256sum", "must be 64 hexadecimal digits"));
        }
        faults
    }

    /// Fetches them into `directory`, as those of the repository of that number.
    pub(crate) fn fetch(
        &self,
        context: &Context,
        directory: &Path,
        number: usize,
    ) -> Result<FetchedKeyring, TaskError> {
        // apt tells armoured keys from others by the name.
        let is_armoured = Path::new(&self.url)
            .extension()
            .is_some_and(|end| end == "asc");
        let ending = if is_armoured { "asc" } else { "gpg" };
        let name = format!("taskbay-{number}.{ending}");
        let file = directory.join(&name);
        let mut fetch = Command::new(APT_HELPER);
        fetch.arg("download-file").arg(&self.url).arg(&file);
        if let Some(sum) = &self.sha256sum {
            fetch.arg(format!("SHA256:{sum}"));
        }
        let status = run_with_room(context, &mut fetch, [None, None])?;
        if !status.success() {
            return Err(TaskError::new(format!(
                "cannot fetch the keyring {}: {APT_HELPER} ended with {status}; the log has its message",
                self.url
            )));
        }
        let installed = self.install.then(|| format!("/etc/apt/keyrings/{name}"));
        Ok(FetchedKeyring { file, installed })
    }
}

/// Whether keys are fetched from there: from another machine, or where this one keeps those that all may read.
fn is_url_of_keys(url: &str) -> bool {
    if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return false;
    }
    let Some(path) = url.strip_prefix("file:") else {
        return ["http://", "https://"]
            .iter()
            .any(|scheme| url.starts_with(scheme));
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    // apt takes `%2e%2e` for `..`.
    ["/usr/share/keyrings/", "/usr/local/share/keyrings/"]
        .iter()
        .any(|folder| path.starts_with(folder))
        && !path.contains('%')
        && path.split('/').all(|name| name != "..")
}

/// Keys that have been fetched.
#[derive(Debug)]
pub(crate) struct FetchedKeyring {
    /// The file.
    file: PathBuf,
    /// Its path in the system, where it shall be there.
    installed: Option<String>,
}

impl FetchedKeyring {
    /// The file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// What mmdebstrap does in the system for it: the sources name a file of the worker, which the system has elsewhere or
    /// not at all.
    pub(crate) fn hooks(&self, use_signed_by: bool) -> Vec<String> {
        let file = self.file.display();
        let sources = r#""$1"/etc/apt/sources.list.d/*.sources"#;
        let forget = format!("sed -i '\\,^Signed-By: {file}$,d' {sources}");
        let Some(installed) = &self.installed else {
            return vec![forget];
        };
        let in_sources = if use_signed_by {
            format!("sed -i 's,^Signed-By: {file}$,Signed-By: {installed},' {sources}")
        } else {
            forget
        };
        vec![
            r#"mkdir -p "$1/etc/apt/keyrings""#.to_owned(),
            format!("upload {file} {installed}"),
            in_sources,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_come_from_elsewhere_or_from_where_all_may_read_them() {
        let with = |url: &str, sum: &str| {
            let keyring: Keyring =
                serde_json::from_value(json!({"url": url, "sha256sum": sum})).unwrap();
            let faults = keyring.faults().into_iter();
            let faults: Vec<_> = faults
                .map(|(key, message)| format!("{key}: {message}"))
                .collect();
            faults.join("; ")
        };
        let sum = "0123456789abcdefABCDEF".repeat(3)[..64].to_owned();
        for url in [
            "http://a/k.asc",
            "https://a/k.gpg",
            "file:///usr/share/keyrings/a.gpg",
            "file:/usr/local/share/keyrings/b/a.gpg",
        ] {
            assert_eq!(with(url, &sum), "");
        }
        for url in [
            "file:///etc/shadow",
            "file:///usr/share/keyrings/../../../etc/shadow",
            "file:///usr/share/keyrings/%2e%2e/x",
            "file://host/usr/share/keyrings/a.gpg",
            "copy:///etc/shadow",
            "-oDir=/x",
            "http://a b",
            "",
        ] {
            let found = with(url, &sum);
            assert!(found.starts_with("url: must start with"), "{url}: {found}");
        }
        for sum in ["", "0", &"x".repeat(64), &"0".repeat(65)] {
            let found = with("http://a/k.asc", sum);
            assert_eq!(found, "sha256sum: must be 64 hexadecimal digits");
        }
    }
}
