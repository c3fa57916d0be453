//! The mmdebstrap command.

use crate::{Mmdebstrap, repository::FetchedKeyring};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_debian::write_file;
use taskbay_plugin_api::{Context, TaskError};

/// What mmdebstrap makes.
pub(crate) const TARBALL: &str = "system.tar.xz";
/// What it brings out of the system.
pub(crate) const STATUS: &str = "dpkg-status";
pub(crate) const OS_RELEASE: &str = "os-release";
pub(crate) const INIT: &str = "init";

const SCRIPT: &str = "customization_script";
/// Says in the system whether it has an init.
const FIND_INIT: &str = r#"if [ -e "$1/sbin/init" ] || [ -L "$1/sbin/init" ]; then echo yes; else echo no; fi >"$1/taskbay-init""#;

/// All that mmdebstrap is called with.
#[derive(Debug)]
pub(crate) struct Bootstrap<'a> {
    task: &'a Mmdebstrap,
    sources: PathBuf,
    keyrings: Vec<FetchedKeyring>,
    /// Where the system lies until it is packed.
    tmp: PathBuf,
}

impl<'a> Bootstrap<'a> {
    /// Fetches keys and writes files. What users of the namespace have to read lies in `tmp`.
    pub(crate) fn prepare(
        task: &'a Mmdebstrap,
        context: &Context,
        tmp: &Path,
    ) -> Result<Self, TaskError> {
        let mut keyrings = Vec::new();
        let mut stanzas = Vec::new();
        for (number, repository) in task.bootstrap_repositories.iter().enumerate() {
            let keyring = repository.fetch_keyring(context, tmp, number)?;
            stanzas.push(repository.stanza(keyring.as_ref()));
            keyrings.extend(keyring);
        }
        let sources = tmp.join("host.sources");
        write_file(&sources, &stanzas.join("\n"))?;
        if let Some(script) = &task.customization_script {
            write_file(&context.work_directory().join(SCRIPT), script)?;
        }
        Ok(Self {
            task,
            sources,
            keyrings,
            tmp: tmp.to_owned(),
        })
    }

    /// The command. It starts in the work directory, where it reads and writes files by name.
    pub(crate) fn command(&self) -> Command {
        let options = &self.task.bootstrap_options;
        let mut command = Command::new("mmdebstrap");
        command
            .env("LC_ALL", "C.UTF-8")
            .env("TMPDIR", &self.tmp)
            // It is unpacked soon and often; better compression takes minutes and saves a tenth.
            .env("XZ_DEFAULTS", "-1")
            .args(["--mode=unshare", "--format=tar", "--verbose"])
            .arg(format!("--architectures={}", options.architecture));
        if let Some(variant) = &options.variant {
            // As the enumeration is written in JSON.
            let variant = serde_json::to_value(variant).unwrap_or_default();
            command.arg(format!(
                "--variant={}",
                variant.as_str().unwrap_or_default()
            ));
        }
        let brought = self.task.bootstrap_repositories.iter();
        let brought = brought.filter_map(|repository| repository.keyring_package.as_ref());
        let packages: Vec<_> = options
            .extra_packages
            .iter()
            .chain(brought)
            .cloned()
            .collect();
        if !packages.is_empty() {
            command.arg(format!("--include={}", packages.join(",")));
        }
        if let Some(gpgv) = &options.gpgv_command {
            command.arg(format!("--aptopt=APT::Key::gpgvcommand \"{gpgv}\""));
        }
        for hook in self.hooks() {
            command.arg(format!("--customize-hook={hook}"));
        }
        command.args(["", TARBALL, ""]).arg(&self.sources);
        command
    }

    fn hooks(&self) -> Vec<String> {
        let mut hooks = Vec::new();
        for keyring in &self.keyrings {
            hooks.extend(self.keyring_hooks(keyring));
        }
        if self.task.customization_script.is_some() {
            hooks.push(format!("upload {SCRIPT} /taskbay-customize"));
            hooks.push(r#"chmod 755 "$1/taskbay-customize""#.to_owned());
            hooks.push(r#"chroot "$1" /taskbay-customize"#.to_owned());
            hooks.push(r#"rm "$1/taskbay-customize""#.to_owned());
        }
        hooks.push(FIND_INIT.to_owned());
        hooks.push(format!("download /taskbay-init {INIT}"));
        hooks.push(r#"rm "$1/taskbay-init""#.to_owned());
        hooks.push(format!("download /var/lib/dpkg/status {STATUS}"));
        hooks.push(format!("download /etc/os-release {OS_RELEASE}"));
        hooks
    }

    /// The system's sources name a file of the worker, which it has elsewhere or not at all.
    fn keyring_hooks(&self, keyring: &FetchedKeyring) -> Vec<String> {
        let file = keyring.file.display();
        let sources = r#""$1"/etc/apt/sources.list.d/*.sources"#;
        let forget = format!("sed -i '\\,^Signed-By: {file}$,d' {sources}");
        let Some(installed) = &keyring.installed else {
            return vec![forget];
        };
        let in_sources = if self.task.bootstrap_options.use_signed_by {
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
