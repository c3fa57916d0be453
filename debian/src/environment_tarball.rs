//! The tarball of an environment, fetched.

use crate::{
    EnvironmentLookup, bootstrapped::os_release, environment::set_mode,
    environment_lookup::with_architecture, input::check_category, option_with_path, read_bounded,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_plugin_api::{
    Artifact, ArtifactId, Context, Lookup, TaskConfigError, TaskError, make_directory, run_to_file,
};

/// Where a system says what it is. The file that `/etc` has is a link to this.
const OS_RELEASE: &str = "*usr/lib/os-release";

/// More than any `os-release` has, in bytes.
const LIMIT: u64 = 1 << 20;

/// The tarball of a system, for tools that unpack it themselves.
#[derive(Debug)]
pub struct EnvironmentTarball {
    id: ArtifactId,
    file: PathBuf,
    vendor: Option<String>,
    codename: Option<String>,
}

impl EnvironmentTarball {
    /// Fetches the system that `lookup` names into `directory`, in the work directory. Where it says no architecture, it is
    /// `architecture`. Every user who reaches the file may read it.
    ///
    /// # Errors
    ///
    /// When there is none, or it is no tarball.
    pub fn fetch(
        context: &Context,
        lookup: &Lookup,
        architecture: Option<&str>,
        directory: impl AsRef<Path>,
    ) -> Result<Self, TaskError> {
        let directory = make_directory(context, directory)?;
        let lookup = with_architecture(lookup, architecture);
        let (id, artifact) = context.server().fetch(&lookup, &directory)?;
        let file = tarball(&lookup, &artifact)?.to_owned();
        set_mode(&file, 0o644)?;
        let said = |key: &str| artifact.data[key].as_str().map(str::to_owned);
        Ok(Self {
            id,
            file,
            vendor: said("vendor"),
            codename: said("codename"),
        })
    }

    /// The artifact.
    pub fn artifact(&self) -> ArtifactId {
        self.id
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Its code name, as the artifact has it or else the system itself, which is looked for in the file.
    ///
    /// # Errors
    ///
    /// When that is aborted, or there is no `tar`. That the file is no system is found by whoever uses it.
    pub fn codename(&self, context: &Context) -> Result<Option<String>, TaskError> {
        match &self.codename {
            Some(codename) => Ok(Some(codename.clone())),
            None => self.says(context, "VERSION_CODENAME"),
        }
    }

    /// Whose system it is, found as the code name is; `debian` where nothing says it.
    ///
    /// # Errors
    ///
    /// As [`codename`](Self::codename).
    pub fn vendor(&self, context: &Context) -> Result<String, TaskError> {
        let vendor = match &self.vendor {
            Some(vendor) => Some(vendor.clone()),
            None => self.says(context, "ID")?,
        };
        Ok(vendor.unwrap_or_else(|| "debian".to_owned()))
    }

    /// The distribution that it is of, as `debian:trixie`: its vendor alone where it has no code name.
    ///
    /// # Errors
    ///
    /// As [`codename`](Self::codename).
    pub fn distribution(&self, context: &Context) -> Result<String, TaskError> {
        let vendor = self.vendor(context)?;
        Ok(match self.codename(context)? {
            Some(codename) => format!("{vendor}:{codename}"),
            None => vendor,
        })
    }

    /// The value of a variable in which the system says what it is.
    fn says(&self, context: &Context, variable: &str) -> Result<Option<String>, TaskError> {
        let found = context.work_directory().join("os-release");
        let mut extract = Command::new("tar");
        // The first one ends the search.
        extract
            .args(["--extract", "--to-stdout", "--occurrence", "--wildcards"])
            .arg(option_with_path("--file=", &self.file))
            .arg(OS_RELEASE);
        // To read all of a system takes a while.
        if !found.exists() {
            run_to_file(context, &mut extract, &found)?;
        }
        let text = read_bounded(&found, LIMIT)?;
        let value = os_release(&text, variable).filter(|name| is_word(name));
        Ok(value.map(str::to_owned))
    }
}

/// It becomes an argument of commands, and the name of a distribution.
fn is_word(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_plain)
}

/// The tarball in an artifact.
fn tarball<'a>(lookup: &Lookup, artifact: &'a Artifact) -> Result<&'a Path, TaskConfigError> {
    const POINTER: &str = "/environment";
    // A local file has no other category.
    let categories = [EnvironmentLookup::CATEGORY, "file"];
    check_category(artifact, (POINTER, lookup), &categories)?;
    let is_tarball = |file: &&PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".tar") || name.contains(".tar.")
    };
    let file = artifact.files.iter().find(is_tarball);
    file.map(PathBuf::as_path).ok_or_else(|| {
        let message = format!("`{lookup}` has no `.tar` or `.tar.*` file");
        TaskConfigError::new(POINTER, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::fs;
    use std::sync::Arc;
    use taskbay_plugin_api::Abort;
    use taskbay_test::{FakeServer, artifact};

    /// The distribution, the vendor and the code name of a tarball whose system says that, in an artifact that says this.
    fn named(says: &str, data: serde_json::Value) -> [Option<String>; 3] {
        let top = tempfile::tempdir().unwrap();
        let lib = top.path().join("usr/lib");
        fs::create_dir_all(&lib).unwrap();
        fs::write(lib.join("os-release"), says).unwrap();
        let tarball = top.path().join("x.tar.gz");
        let mut pack = Command::new("tar");
        pack.args(["--create", "--gzip", "--file"]).arg(&tarball);
        let packed = pack
            .arg("--directory")
            .arg(top.path())
            .arg("./usr")
            .status();
        assert!(packed.unwrap().success());
        let system = Artifact::new("file", data, vec![tarball]);
        let server = Arc::new(FakeServer::new(vec![system]));
        let work = tempfile::tempdir().unwrap();
        let context = Context::new(work.path(), Abort::new()).with_server(server);
        let fetched = EnvironmentTarball::fetch(&context, &Lookup::Id(1), None, "in").unwrap();
        [
            fetched.distribution(&context).ok(),
            fetched.vendor(&context).ok(),
            fetched.codename(&context).unwrap(),
        ]
    }

    #[test]
    fn a_system_is_called_what_the_artifact_says_or_itself() {
        let name = |vendor: &str, codename: &str| {
            let distribution = format!("{vendor}:{codename}");
            [&distribution, vendor, codename].map(|name| Some(name.to_owned()))
        };
        let trixie = "ID=other\nVERSION_CODENAME=\"trixie\"\n";
        assert_eq!(named(trixie, json!({})), name("other", "trixie"));
        let data = json!({"codename": "sid", "vendor": "kali"});
        assert_eq!(named(trixie, data), name("kali", "sid"));
        for says in ["ID=debian\n", "VERSION_CODENAME=--help\n", ""] {
            let vendor = Some("debian".to_owned());
            let known = [vendor.clone(), vendor, None];
            assert_eq!(named(says, json!({})), known, "{says}");
        }
    }

    #[test]
    fn says_what_is_no_environment() {
        let log = artifact("debian:package-build-log", vec!["/x.build".into()]);
        let error = tarball(&Lookup::Id(7), &log).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/environment: `7` is an artifact of category `debian:package-build-log`, and must be one of these: \
             debian:system-tarball, file"
        );
        let other = artifact("file", vec!["/x.iso".into()]);
        let error = tarball(&Lookup::Id(7), &other).unwrap_err().to_string();
        assert!(error.contains("`7` has no `.tar`"), "{error}");
        let good = artifact("file", vec!["/x.txt".into(), "/x.tar.zst".into()]);
        assert_eq!(
            tarball(&Lookup::Id(7), &good).unwrap(),
            Path::new("/x.tar.zst")
        );
    }
}
