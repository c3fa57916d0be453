//! The debug symbols that a build puts into packages of their own.

use serde_json::json;
use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_debian::run_with_room;
use taskbay_plugin_api::{Artifact, Context, TaskError, log, make_directory};

/// Where such a package has them, by the build's number: its first two digits name a folder.
const FOLDER: &str = "usr/lib/debug/.build-id";

/// The package with the debug symbols of another one, beside it.
pub(crate) fn package_of(deb: &Path) -> Option<PathBuf> {
    let name = deb.file_name()?.to_str()?.strip_suffix(".deb")?;
    let (package, rest) = name.split_once('_')?;
    let beside = ["deb", "ddeb"]
        .map(|ending| deb.with_file_name(format!("{package}-dbgsym_{rest}.{ending}")));
    let is_file = |file: &PathBuf| file.symlink_metadata().is_ok_and(|file| file.is_file());
    beside.into_iter().find(is_file)
}

/// The artifact of what such a package has; none where it has nothing.
pub(crate) fn artifact(context: &Context, package: &Path) -> Result<Option<Artifact>, TaskError> {
    let name = package.file_name().unwrap_or_default();
    let folder = make_directory(context, Path::new("debug-symbols").join(name))?;
    let (unpacked, taken) = (folder.join("unpacked"), folder.join("taken"));
    let mut extract = Command::new("dpkg-deb");
    extract.arg("--extract").arg(package).arg(&unpacked);
    let status = run_with_room(context, &mut extract, [None, None])?;
    if !status.success() {
        return Err(TaskError::new(format!(
            "cannot read {}: dpkg-deb ended with {status}; the log has its message",
            package.display()
        )));
    }
    fs::create_dir(&taken)?;
    let mut ids = Vec::new();
    for (id, file) in found(&unpacked)? {
        fs::rename(file, taken.join(&id))?;
        ids.push(id);
    }
    if ids.is_empty() {
        return Ok(None);
    }
    ids.sort();
    let files = ids.iter().map(|id| taken.join(id)).collect();
    let data = json!({"build_ids": ids});
    Ok(Some(
        Artifact::new("debian:debug-symbols", data, files).with_root(&taken),
    ))
}

/// The regular files there with the symbols of builds, each with the build's number. A link leads to none.
fn found(unpacked: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let Ok(folder) = unpacked.join(FOLDER).canonicalize() else {
        return Ok(found);
    };
    if !folder.starts_with(unpacked.canonicalize()?) {
        return Ok(found);
    }
    for group in fs::read_dir(folder)? {
        let group = group?;
        if !group.file_type()?.is_dir() {
            continue;
        }
        for file in fs::read_dir(group.path())? {
            let file = file?;
            match build_id(&group.file_name(), &file.file_name()) {
                Some(id) if file.file_type()?.is_file() => found.push((id, file.path())),
                _ => log::warn!(
                    "{} is left out: it is no file of debug symbols",
                    file.path().display()
                ),
            }
        }
    }
    Ok(found)
}

/// The number of a build: 40 digits, of which the first two are the folder's name and the others the file's.
fn build_id(folder: &OsStr, file: &OsStr) -> Option<String> {
    let (folder, file) = (folder.to_str()?, file.to_str()?.strip_suffix(".debug")?);
    let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    let id = format!("{folder}{file}");
    let is_id = folder.len() == 2 && id.len() == 40 && id.bytes().all(is_digit);
    is_id.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use taskbay_plugin_api::Abort;
    use taskbay_test::{has_tools, packages};

    #[test]
    fn a_package_of_symbols_lies_beside_its_own() {
        let top = tempfile::tempdir().unwrap();
        let file = |name: &str| top.path().join(name);
        for name in [
            "a_1_amd64.deb",
            "a-dbgsym_1_amd64.deb",
            "b_1_amd64.deb",
            "b-dbgsym_1_amd64.ddeb",
            "c_1_amd64.deb",
            "c-dbgsym_2_amd64.deb",
        ] {
            fs::write(file(name), "").unwrap();
        }
        symlink("/etc/passwd", file("d-dbgsym_1_amd64.deb")).unwrap();
        for (name, wanted) in [
            ("a_1_amd64.deb", Some("a-dbgsym_1_amd64.deb")),
            ("b_1_amd64.deb", Some("b-dbgsym_1_amd64.ddeb")),
            ("c_1_amd64.deb", None),
            ("d_1_amd64.deb", None),
            ("a_1_amd64.udeb", None),
            ("a-dbgsym_1_amd64.deb", None),
        ] {
            assert_eq!(package_of(&file(name)), wanted.map(file), "{name}");
        }
    }

    #[test]
    fn symbols_are_given_by_the_number_of_their_build() {
        if !has_tools(&["dpkg-deb"]) {
            return;
        }
        let top = tempfile::tempdir().unwrap();
        let context = Context::new(top.path(), Abort::new());
        let rest = "0123456789abcdef".repeat(3);
        let rest = &rest[..38];
        let path = |folder: &str, file: &str| format!("{FOLDER}/{folder}/{file}");
        let (good, other) = (
            path("cd", &format!("{rest}.debug")),
            path("ab", &format!("{rest}.debug")),
        );
        let bad = [
            path("cd", "x.debug"),
            path("cde", &format!("{}.debug", &rest[1..])),
            path("AB", &format!("{rest}.debug")),
            path("ab", rest),
        ];
        let mut files = vec![(good.as_str(), "1"), (other.as_str(), "2")];
        files.extend(bad.iter().map(|path| (path.as_str(), "3")));
        let deb = packages::deb(top.path(), "a-dbgsym_1_amd64.deb", &files);
        let artifact = artifact(&context, &deb).unwrap().unwrap();
        let ids = [format!("ab{rest}"), format!("cd{rest}")];
        assert_eq!(artifact.data, json!({"build_ids": ids}));
        for ((file, id), text) in artifact.files.iter().zip(&ids).zip(["2", "1"]) {
            assert_eq!(artifact.name(file), Some(Path::new(id)));
            assert_eq!(fs::read_to_string(file).unwrap(), text);
        }

        let deb = packages::deb(top.path(), "b-dbgsym_1_amd64.deb", &[("x", "")]);
        assert!(super::artifact(&context, &deb).unwrap().is_none());
        let broken = top.path().join("c-dbgsym_1_amd64.deb");
        fs::write(&broken, "no package").unwrap();
        let error = super::artifact(&context, &broken).unwrap_err().message();
        assert!(error.contains("c-dbgsym_1_amd64.deb: dpkg-deb"), "{error}");
    }

    /// A package is whoever's who builds it.
    #[test]
    fn no_link_leads_out_of_a_package() {
        let top = tempfile::tempdir().unwrap();
        let outside = top.path().join("outside");
        let rest = "0".repeat(38);
        let group = outside.join(".build-id/ab");
        fs::create_dir_all(&group).unwrap();
        let file = group.join(format!("{rest}.debug"));
        fs::write(&file, "").unwrap();
        let unpacked = |name: &str, link: &str, target: &Path| {
            let unpacked = top.path().join(name);
            let link = unpacked.join(link);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(target, link).unwrap();
            found(&unpacked).unwrap()
        };
        assert_eq!(unpacked("1", "usr/lib/debug", &outside), []);
        assert_eq!(unpacked("2", &format!("{FOLDER}/ab"), &group), []);
        let link = format!("{FOLDER}/ab/{rest}.debug");
        assert_eq!(unpacked("3", &link, &file), []);
    }
}
