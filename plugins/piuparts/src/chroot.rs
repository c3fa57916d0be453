//! The system into which piuparts installs packages, and what piuparts needs to use it without privileges.

use std::{
    ffi::OsString,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_debian::{Executor, ExtraRepository, write_file};
use taskbay_plugin_api::TaskError;

/// Where the system lies in the environment, as the `.tar.gz` that piuparts wants.
pub(crate) const BASE: &str = "/base.tar.gz";

/// Packs it anew without its devices, which cannot be made here.
const REPACK: &str = "\
set -eu
mkdir /base
tar --extract --file \"$1\" --directory /base --preserve-permissions --numeric-owner --exclude './dev/*' --exclude 'dev/*'
mkdir -p /base/dev
ln -s pts/ptmx /base/dev/ptmx
tar --create --use-compress-program 'gzip -1' --numeric-owner --file /base.tar.gz --directory /base .
rm -rf /base
";
/// piuparts binds one directory, and below `/dev` the devices are mounts of their own.
const MOUNT: &str = "\
#!/bin/sh
if [ \"$1 $2\" = '-o bind' ]; then
    shift 2
    exec /bin/mount --rbind \"$@\"
fi
exec /bin/mount \"$@\"
";
const UMOUNT: &str = "#!/bin/sh\nexec /bin/umount --recursive \"$@\"\n";

/// What piuparts is called with.
#[derive(Debug)]
pub(crate) struct Chroot {
    commands: PathBuf,
    scripts: PathBuf,
}

impl Chroot {
    /// Packs the system of that tarball, with these repositories.
    pub(crate) fn prepare(
        executor: &Executor<'_>,
        tarball: &Path,
        repositories: &[&ExtraRepository],
    ) -> Result<Self, TaskError> {
        let mut repack = Command::new("sh");
        repack.args(["-c", REPACK, "sh"]).arg(tarball);
        let status = executor.run(&repack)?;
        if !status.success() {
            return Err(TaskError::new(format!(
                "cannot use {} as the base of piuparts: the command ended with {status}; the log has its message",
                tarball.display()
            )));
        }
        let commands = executor.directory("commands")?;
        write(&commands.join("mount"), MOUNT)?;
        write(&commands.join("umount"), UMOUNT)?;
        let scripts = executor.directory("scripts")?;
        if !repositories.is_empty() {
            write(
                &scripts.join("post_chroot_unpack_repositories"),
                &script(repositories),
            )?;
        }
        Ok(Self { commands, scripts })
    }

    /// Where programs are looked for.
    pub(crate) fn path(&self) -> OsString {
        let mut path = self.commands.clone().into_os_string();
        path.push(":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        path
    }

    /// The scripts that piuparts runs in the system.
    pub(crate) fn scripts(&self) -> &Path {
        &self.scripts
    }
}

/// Adds repositories to the system's own. Their words have no white space, and no quotes in a here document matter.
pub(crate) fn script(repositories: &[&ExtraRepository]) -> String {
    let mut lines = vec!["#!/bin/sh".to_owned(), "set -e".to_owned()];
    for (number, repository) in repositories.iter().enumerate() {
        let mut put = |file: String, text: &str| {
            lines.push(format!("cat >{file} <<'TASKBAY-END'"));
            lines.push(text.trim_end().to_owned());
            lines.push("TASKBAY-END".to_owned());
        };
        put(
            format!("/etc/apt/sources.list.d/taskbay-{number}.list"),
            &repository.line(),
        );
        if let Some(key) = repository.signing_key() {
            put(format!("/etc/apt/trusted.gpg.d/taskbay-{number}.asc"), &key);
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Writes a program.
fn write(file: &Path, text: &str) -> Result<(), TaskError> {
    write_file(file, text)?;
    Ok(fs::set_permissions(file, Permissions::from_mode(0o755))?)
}
