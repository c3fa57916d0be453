//! A template package, and what a signing service would give for it.

use serde_json::{Value, json};
use std::{fs, os::unix::fs::symlink, path::Path, process::Command};
use taskbay_plugin_api::Artifact;
use taskbay_test::{artifact, packages};

const PERSON: &str = "A Person <a@example.org>";
const PLACE: &str = "usr/share/code-signing/tiny-signed-template";

/// The template `tiny-signed-template`, which asks for a signature of the kernel of the package `tiny`.
pub(super) struct Template {
    sig_type: String,
    files: Vec<(String, String)>,
    links: Vec<(String, String)>,
}

impl Default for Template {
    fn default() -> Self {
        let control = format!(
            "Source: tiny-signed\nMaintainer: {PERSON}\nBuild-Depends: sbsigntool\n\n\
             Package: tiny-signed\nArchitecture: amd64\nDescription: boots\n Boots, with a signature.\n"
        );
        let changelog = format!(
            "tiny-signed (1.0+2) unstable; urgency=medium\n\n  * Signed.\n\n \
             -- {PERSON}  Mon, 01 Jan 2024 00:00:00 +0000\n"
        );
        let files = [
            ("debian/source/format", "3.0 (native)\n"),
            ("debian/control", &control),
            ("debian/changelog", &changelog),
            ("debian/rules", "#!/usr/bin/make -f\n%:\n\tdh $@\n"),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        Self {
            sig_type: "efi".to_owned(),
            files: files.into(),
            links: Vec::new(),
        }
    }
}

impl Template {
    pub(super) fn sig_type(mut self, sig_type: &str) -> Self {
        sig_type.clone_into(&mut self.sig_type);
        self
    }

    /// With that file in the source, in the place of its own.
    pub(super) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned()));
        self
    }

    pub(super) fn link(mut self, path: &str, target: &str) -> Self {
        self.links.push((path.to_owned(), target.to_owned()));
        self
    }

    /// Builds the package.
    pub(super) fn build(&self, store: &Path) -> Artifact {
        let stem = "tiny-signed-template_1.0_amd64";
        let tree = store.join(stem).join(PLACE).join("source-template");
        for (path, target) in &self.links {
            let link = tree.join(path);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(target, link).unwrap();
        }
        let files_json = json!({"packages": {"tiny": {
            "trusted_certs": [], "files": [{"sig_type": self.sig_type, "file": "boot/vmlinuz"}],
        }}});
        let mut files = vec![(format!("{PLACE}/files.json"), files_json.to_string())];
        for (path, text) in &self.files {
            files.push((format!("{PLACE}/source-template/{path}"), text.clone()));
        }
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (&**path, &**text))
            .collect();
        let deb = packages::deb(store, &format!("{stem}.deb"), &files);
        artifact("debian:binary-package", vec![deb])
    }
}

/// The signature of a file of that name, as a signing service gives it.
pub(super) fn signed(store: &Path, name: &str) -> Artifact {
    let data = json!({
        "purpose": "uefi", "fingerprint": "0123", "binary_package_name": "tiny",
        "results": [{"file": name, "output_file": format!("{name}.sig")}],
    });
    signing_output(store, &data, &[&format!("{name}.sig")])
}

/// An artifact of that data, each of whose files is a signature.
pub(super) fn signing_output(store: &Path, data: &Value, names: &[&str]) -> Artifact {
    let root = store.join("signing-output");
    let files = names.iter().map(|name| {
        let file = root.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        sign(store, &file);
        file
    });
    let files = files.collect();
    Artifact::new("debusine:signing-output", data.clone(), files).with_root(root)
}

/// Signs something, with a key of its own.
fn sign(store: &Path, signature: &Path) {
    let path = |name: &str| store.join(name).display().to_string();
    fs::write(path("kernel"), "kernel").unwrap();
    let openssl = |words: &str| {
        let words = words.replace("STORE", &store.display().to_string());
        let mut command = Command::new("openssl");
        let output = command.args(words.split(' ')).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -subj /CN=tests -keyout STORE/key -out STORE/cert");
    let signed = openssl(
        "cms -sign -binary -outform DER -in STORE/kernel -signer STORE/cert -inkey STORE/key",
    );
    fs::write(signature, signed).unwrap();
}
