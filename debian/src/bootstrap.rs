//! Making a system of repositories, with mmdebstrap or a tool around it.

use crate::{
    BootstrapOptions, BootstrapRepository, Room, bootstrapped, keyring::FetchedKeyring,
    read_bounded, write_file,
};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_plugin_api::{Context, Requirement, TaskConfigError, TaskError, log, run_heard};

/// What is brought out of the system, to the work directory.
const STATUS: &str = "dpkg-status";
const OS_RELEASE: &str = "os-release";
const INIT: &str = "init";
/// More than any of these has, in bytes.
const LIMIT: u64 = 64 << 20;

const SCRIPT: &str = "customization_script";
/// What is printed where the script failed; all that fails besides has nothing to do with the request.
const SCRIPT_FAILED: &str = "taskbay: the customization script failed";
/// Says in the system whether it has an init.
const FIND_INIT: &str = r#"if [ -e "$1/sbin/init" ] || [ -L "$1/sbin/init" ]; then echo yes; else echo no; fi >"$1/taskbay-init""#;

/// The keys of task data that say which system is made; each task that makes one has them.
#[derive(Clone, Copy, Debug)]
pub struct Bootstrap<'a> {
    /// `bootstrap_options`
    pub options: &'a BootstrapOptions,
    /// `bootstrap_repositories`, of which there is one at least.
    pub repositories: &'a [BootstrapRepository],
    /// `customization_script`
    pub customization_script: Option<&'a str>,
}

/// What the tool that makes a system is called with.
#[derive(Debug)]
pub struct PreparedBootstrap<'a> {
    bootstrap: Bootstrap<'a>,
    sources: PathBuf,
    keyrings: Vec<FetchedKeyring>,
}

impl<'a> Bootstrap<'a> {
    /// What is wrong with the keys.
    pub fn faults(&self) -> Vec<TaskConfigError> {
        let repositories = self.repositories.iter().enumerate();
        let mut faults: Vec<_> = repositories
            .flat_map(|(number, repository)| repository.faults(number))
            .collect();
        faults.extend(self.options.faults());
        faults
    }

    /// What a worker needs beside the tool.
    pub fn requirements(&self) -> [Requirement; 2] {
        [
            Requirement::contains("system:architectures", &*self.options.architecture)
                .because("the worker cannot execute programs of that architecture"),
            Requirement::equals("executor:unshare:available", true)
                .because("mmdebstrap needs user namespaces, and users for them"),
        ]
    }

    /// Fetches keys and writes files. What users of the namespace have to read lies in `tmp`.
    ///
    /// # Errors
    ///
    /// When keys cannot be had, or a file cannot be written.
    pub fn prepare(
        self,
        context: &Context,
        tmp: &Path,
    ) -> Result<PreparedBootstrap<'a>, TaskError> {
        let mut keyrings = Vec::new();
        let mut stanzas = Vec::new();
        for (number, repository) in self.repositories.iter().enumerate() {
            let keyring = repository.fetch_keyring(context, tmp, number)?;
            stanzas.push(repository.stanza(keyring.as_ref()));
            keyrings.extend(keyring);
        }
        let sources = tmp.join("host.sources");
        write_file(&sources, &stanzas.join("\n"))?;
        if let Some(script) = self.customization_script {
            write_file(&context.work_directory().join(SCRIPT), script)?;
        }
        Ok(PreparedBootstrap {
            bootstrap: self,
            sources,
            keyrings,
        })
    }
}

impl PreparedBootstrap<'_> {
    /// Options of mmdebstrap. It has to start in the work directory, where it reads and writes files by name.
    pub fn mmdebstrap_options(&self) -> Vec<String> {
        let repositories = self.bootstrap.repositories.iter();
        let brought = repositories.filter_map(BootstrapRepository::keyring_package);
        let mut words = self.bootstrap.options.words(brought);
        let hooks = self.hooks().into_iter();
        words.extend(hooks.map(|hook| format!("--customize-hook={hook}")));
        words
    }

    /// The file that names the repositories, for mmdebstrap to be given in a mirror's place.
    pub fn sources(&self) -> &Path {
        &self.sources
    }

    /// Makes the system with `command`, which runs `tool`. Whether the customization script, where there is one, was content.
    ///
    /// # Errors
    ///
    /// When the system cannot be made.
    pub fn make(
        &self,
        context: &Context,
        tool: &str,
        command: &mut Command,
    ) -> Result<bool, TaskError> {
        let mut room = Room::of(context);
        let mut has_script_failed = false;
        let status = run_heard(context, command, [None, None], |line| {
            room.hear(line);
            has_script_failed |= line == SCRIPT_FAILED;
        })?;
        if status.success() {
            return Ok(true);
        }
        room.check()?;
        if has_script_failed && status.code().is_some() {
            log::info!("the customization script failed, and {tool} ended with {status}");
            return Ok(false);
        }
        Err(TaskError::new(format!(
            "{tool} could not make the system, and ended with {status}: the log has its message"
        )))
    }

    /// The data of an artifact with the system, whose main file has that name. It is told by what mmdebstrap put into the
    /// work directory.
    ///
    /// # Errors
    ///
    /// When that is missing, or cannot be read.
    pub fn describe(&self, context: &Context, filename: &str) -> Result<Value, TaskError> {
        let read = |name: &str| {
            let file = context.work_directory().join(name);
            read_bounded(&file, LIMIT)
        };
        let release = read(OS_RELEASE)?;
        let first = &self.bootstrap.repositories[0];
        let options = self.bootstrap.options;
        Ok(json!({
            "filename": filename,
            "vendor": bootstrapped::os_release(&release, "ID"),
            "codename": bootstrapped::codename(first.suite(), &release),
            "mirror": first.mirror(),
            "components": first.components(),
            "variant": options.variant,
            "pkglist": bootstrapped::packages(&read(STATUS)?)?,
            "architecture": options.architecture,
            // mmdebstrap writes the nodes into every tarball.
            "with_dev": true,
            "with_init": read(INIT)?.trim() == "yes",
        }))
    }

    fn hooks(&self) -> Vec<String> {
        let mut hooks = Vec::new();
        for keyring in &self.keyrings {
            hooks.extend(keyring.hooks(self.bootstrap.options.use_signed_by));
        }
        if self.bootstrap.customization_script.is_some() {
            hooks.push(format!("upload {SCRIPT} /taskbay-customize"));
            hooks.push(r#"chmod 755 "$1/taskbay-customize""#.to_owned());
            hooks.push(format!(
                r#"chroot "$1" /taskbay-customize || {{ printf '\n%s\n' '{SCRIPT_FAILED}' >&2; exit 1; }}"#
            ));
            hooks.push(r#"rm "$1/taskbay-customize""#.to_owned());
        }
        hooks.push(FIND_INIT.to_owned());
        hooks.push(format!("download /taskbay-init {INIT}"));
        hooks.push(r#"rm "$1/taskbay-init""#.to_owned());
        hooks.push(format!("download /var/lib/dpkg/status {STATUS}"));
        hooks.push(format!("download /etc/os-release {OS_RELEASE}"));
        hooks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::from_value;
    use taskbay_plugin_api::Abort;

    /// What a command that ends so comes to.
    fn made(script: &str) -> Result<bool, String> {
        let top = tempfile::tempdir().unwrap();
        let context = Context::new(top.path(), Abort::new());
        let options: BootstrapOptions = from_value(json!({"architecture": "amd64"})).unwrap();
        let bootstrap = Bootstrap {
            options: &options,
            repositories: &[],
            customization_script: Some("#!/bin/sh\nexit 3\n"),
        };
        let prepared = bootstrap.prepare(&context, top.path()).unwrap();
        let hooks = prepared.hooks();
        let hook = hooks
            .iter()
            .find(|hook| hook.starts_with("chroot"))
            .unwrap();
        // As mmdebstrap calls a hook. There is no system to change to.
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(hook);
        let made = prepared.make(&context, "tool", &mut command);
        made.map_err(|error| error.message())
    }

    #[test]
    fn only_a_script_that_fails_is_a_failure() {
        assert_eq!(made("true"), Ok(true));
        assert_eq!(made(r#"sh -c "$1" exec /nowhere || exit 25"#), Ok(false));
        for script in [
            "exit 1",
            r#"echo "$1"; exit 25"#,
            r#"(sh -c "$1" exec /nowhere); kill -9 $$"#,
        ] {
            let error = made(script).unwrap_err();
            assert!(
                error.starts_with("tool could not make the system"),
                "{error}"
            );
        }
    }
}
