//! The artifact of a binary package.

use crate::{Paragraph, read_bounded, run_with_room};
use serde_json::{Map, Value, json};
use std::{fs, path::Path, process::Command};
use taskbay_plugin_api::{Artifact, Context, TaskError, log, make_directory};

/// More than any real control file of a package has.
const SIZE_LIMIT: u64 = 16 << 20;

/// The artifact `debian:binary-package` of a `.deb`, with what its control file says.
///
/// # Errors
///
/// When `dpkg-deb` cannot read it.
pub fn binary_package(context: &Context, deb: &Path) -> Result<Artifact, TaskError> {
    let name = deb.file_name().unwrap_or_default();
    let directory = make_directory(context, Path::new("control").join(name))?;
    let status = run_with_room(context, &mut extract(deb, &directory), [None, None])?;
    if !status.success() {
        return Err(TaskError::new(format!(
            "cannot read {}: dpkg-deb ended with {status}; the log has its message",
            deb.display()
        )));
    }
    Ok(artifact(deb, read(&directory)?))
}

/// The same of a file that somebody has, which may be no package, as where `dpkg-deb` is missing: then nothing is said of it.
pub(crate) fn local_binary_package(deb: &Path) -> Artifact {
    let data = look_into(deb).unwrap_or_else(|why| {
        log::warn!(
            "nothing is known of the package in {}: {why}",
            deb.display()
        );
        json!({})
    });
    artifact(deb, data)
}

fn look_into(deb: &Path) -> Result<Value, String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let output = extract(deb, directory.path()).output();
    let output = output.map_err(|error| format!("dpkg-deb cannot be called: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said.trim().to_owned());
    }
    read(directory.path()).map_err(|error| error.message())
}

/// Takes the control file, and those beside it, out of a package.
fn extract(deb: &Path, directory: &Path) -> Command {
    let mut extract = Command::new("dpkg-deb");
    extract.arg("--control").arg(deb).arg(directory);
    extract
}

fn artifact(deb: &Path, data: Value) -> Artifact {
    Artifact::new("debian:binary-package", data, vec![deb.to_owned()])
}

/// What is said of a package by what was taken out of it.
fn read(directory: &Path) -> Result<Value, TaskError> {
    let mut names: Vec<_> = fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, _>>()?;
    names.sort();
    let control = read_bounded(&directory.join("control"), SIZE_LIMIT)?;
    let control = Paragraph::parse_all(&control)?;
    let control = control.into_iter().next().unwrap_or_default();
    Ok(data(&control, &names))
}

fn data(control: &Paragraph, control_files: &[String]) -> Value {
    let get = |field| control.get(field).unwrap_or_default();
    // The source is named only where it is another, and its version where that is another.
    let (mut name, mut version) = (get("Package"), get("Version"));
    if let Some(source) = control.get("Source") {
        let (source, rest) = source.split_once(' ').unwrap_or((source, ""));
        name = source;
        let own = rest
            .trim()
            .strip_prefix('(')
            .and_then(|own| own.strip_suffix(')'));
        version = own.unwrap_or(version);
    }
    let fields = control
        .iter()
        .map(|(field, value)| (field.to_owned(), value.into()));
    let fields: Map<String, Value> = fields.collect();
    json!({
        "srcpkg_name": name,
        "srcpkg_version": version,
        "deb_fields": fields,
        "deb_control_files": control_files,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use taskbay_plugin_api::Abort;
    use taskbay_test::{has_tools, packages};

    #[test]
    fn says_what_the_control_file_says() {
        if !has_tools(&["dpkg-deb"]) {
            return;
        }
        let top = tempfile::tempdir().unwrap();
        let deb = packages::deb(top.path(), "hello_1.0_amd64.deb", &[]);
        let artifact = binary_package(&Context::new(top.path(), Abort::new()), &deb).unwrap();
        assert_eq!(artifact.category, "debian:binary-package");
        assert_eq!(artifact.data["srcpkg_name"], "hello");
        assert_eq!(artifact.data["srcpkg_version"], "1.0");
        assert_eq!(artifact.data["deb_control_files"], json!(["control"]));
        assert_eq!(
            artifact.data["deb_fields"]["Description"],
            "greets\n Prints a greeting."
        );
        assert_eq!(local_binary_package(&deb), artifact);
        // It may be a package that a task shall look at because it is none.
        fs::write(&deb, "none").unwrap();
        assert_eq!(local_binary_package(&deb).data, json!({}));
    }

    /// What is made of a package whose control file is made so.
    fn made_with(control: impl FnOnce(&Path)) -> String {
        let top = tempfile::tempdir().unwrap();
        fs::write(top.path().join("secret"), "Package: secret\nVersion: 1\n").unwrap();
        let tree = top.path().join("control-tree");
        fs::create_dir(&tree).unwrap();
        control(&tree.join("control"));
        let deb = top.path().join("evil.deb");
        let made = Command::new("sh")
            .args(["-euc", ASSEMBLE, "sh"])
            .args([&tree, &deb])
            .status();
        assert!(made.unwrap().success());
        let made = binary_package(&Context::new(top.path(), Abort::new()), &deb);
        made.map_or_else(|error| error.message(), |made| made.data.to_string())
    }

    /// dpkg-deb builds no such package, but what untrusted rules run does.
    const ASSEMBLE: &str = "\
cd \"$1\"
tar -czf ../control.tar.gz .
cd ..
tar -czf data.tar.gz --files-from /dev/null
echo 2.0 >debian-binary
printf '!<arch>\\n' >\"$2\"
for member in debian-binary control.tar.gz data.tar.gz; do
    printf '%-16s%-12s%-6s%-6s%-8s%-10s`\\n' $member 0 0 0 100644 \"$(stat -c %s $member)\" >>\"$2\"
    cat $member >>\"$2\"
    [ $(($(stat -c %s $member) % 2)) = 0 ] || echo >>\"$2\"
done
";

    #[test]
    fn a_control_file_that_is_none_is_refused_and_nothing_is_read_through_it() {
        if !has_tools(&["dpkg-deb", "tar", "mkfifo"]) {
            return;
        }
        let plain = made_with(|control| fs::write(control, "Package: a\nVersion: 1\n").unwrap());
        assert!(plain.contains("\"srcpkg_name\":\"a\""), "{plain}");
        // From `work/control/evil.deb/control`.
        let link = made_with(|control| symlink("../../secret", control).unwrap());
        assert!(link.contains("is a symbolic link"), "{link}");
        let fifo = made_with(|control| {
            let made = Command::new("mkfifo").arg(control).status().unwrap();
            assert!(made.success());
        });
        assert!(fifo.contains("is a device, FIFO or socket"), "{fifo}");
        let none = made_with(|_| {});
        assert!(none.contains("/control: No such file"), "{none}");
    }

    #[test]
    fn a_source_of_another_name_or_version_is_told() {
        let source = |text: &str| {
            let control = Paragraph::parse_all(text).unwrap().remove(0);
            let data = data(&control, &[]);
            [data["srcpkg_name"].clone(), data["srcpkg_version"].clone()]
        };
        assert_eq!(
            source("Package: a\nVersion: 1+b1\nSource: s (1)\n"),
            ["s", "1"]
        );
        assert_eq!(source("Package: a\nVersion: 2\nSource: s\n"), ["s", "2"]);
    }
}
