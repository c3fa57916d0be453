//! A small package that is built without a system of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use taskbay_test::packages;

/// Enough for a package, without debhelper, which need not be there.
const RULES: &str = "#!/usr/bin/make -f\nclean build build-arch build-indep:\n\nbinary-arch:\n\n\
    binary binary-indep:\n\tmkdir -p debian/tiny/DEBIAN debian/tiny/usr/share/tiny\n\
    \tcp greeting debian/tiny/usr/share/tiny/\n\tdpkg-gencontrol -Pdebian/tiny\n\
    \tdpkg-deb --root-owner-group --build debian/tiny ..\n";
const CONTROL: &str = "Source: tiny\nSection: misc\nPriority: optional\nMaintainer: A Person <a@example.org>\n\
    Standards-Version: 4.6.2\nRules-Requires-Root: no\n\nPackage: tiny\nArchitecture: all\n\
    Description: greets\n Prints a greeting.\n";

/// A version of it: the files that belong together, by what they end in.
pub(crate) struct Tiny {
    folder: PathBuf,
    version: &'static str,
}

impl Tiny {
    /// Builds that version in `folder`, as a developer does: the source, the package, and an upload of the package.
    pub(crate) fn build(folder: &Path, version: &'static str, greeting: &str) -> Self {
        fs::create_dir(folder).unwrap();
        let files = [
            ("debian/rules", RULES),
            ("debian/control", CONTROL),
            ("greeting", greeting),
        ];
        packages::source(folder, &format!("tiny_{version}.dsc"), &files);
        let built = Command::new("dpkg-buildpackage")
            .args(["--build=all", "--unsigned-changes", "--unsigned-buildinfo"])
            .current_dir(folder.join(format!("tiny-{version}")))
            .output()
            .unwrap();
        assert!(built.status.success(), "{built:?}");
        let folder = folder.to_owned();
        Self { folder, version }
    }

    /// Its file that ends so, as `.dsc` and `_all.deb`.
    pub(crate) fn file(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("tiny_{}{ending}", self.version))
    }
}
