//! What requests work on, stored with Debusine's own client.

use crate::server::Server;
use std::{fmt::Write, fs};
use taskbay_test::packages;

/// Enough for two packages and debug symbols, without debhelper, so that little is fetched for it.
const RULES: &str = "#!/usr/bin/make -f\nclean build build-arch build-indep:\n\nbinary: binary-arch binary-indep\n\n\
    binary-arch:\n\tmkdir -p debian/tiny-tool/DEBIAN debian/tiny-tool/usr/share/tiny-tool\n\
    \tcp greeting debian/tiny-tool/usr/share/tiny-tool/\n\tdpkg-gencontrol -ptiny-tool -Pdebian/tiny-tool\n\
    \tdpkg-deb --root-owner-group --build debian/tiny-tool ..\n\
    \tmkdir -p debian/symbols/DEBIAN debian/symbols/usr/lib/debug/.build-id/ab\n\
    \tcp greeting debian/symbols/usr/lib/debug/.build-id/ab/00112233445566778899aabbccddeeff001122.debug\n\
    \tdpkg-gencontrol -ptiny-tool -Pdebian/symbols -DPackage=tiny-tool-dbgsym -DAuto-Built-Package=debug-symbols\n\
    \tdpkg-deb --root-owner-group --build debian/symbols ..\n\n\
    binary-indep:\n\tmkdir -p debian/tiny/DEBIAN debian/tiny/usr/share/tiny\n\
    \tcp greeting debian/tiny/usr/share/tiny/\n\tdpkg-gencontrol -ptiny -Pdebian/tiny\n\
    \tdpkg-deb --root-owner-group --build debian/tiny ..\n";
const CONTROL: &str = "Source: tiny\nSection: misc\nPriority: optional\nMaintainer: A Person <a@example.org>\n\
    Standards-Version: 4.6.2\nRules-Requires-Root: no\n\nPackage: tiny\nArchitecture: all\n\
    Description: greets\n Prints a greeting.\n\nPackage: tiny-tool\nArchitecture: any\n\
    Description: greets by a tool\n Prints a greeting on one kind of machine.\n";
const TESTS: &str = "Test-Command: grep -q hello /usr/share/tiny/greeting\nDepends: tiny\n";
/// A build that was hardened.
const BUILD_LOG: &str = "Package: tiny\nVersion: 1.0\nSource Version: 1.0\nArchitecture: amd64\nBuild Architecture: amd64\n\
    dpkg-buildpackage: info: source package tiny\n\
    gcc -g -O2 -Werror=implicit-function-declaration -fstack-protector-strong -fstack-clash-protection -fcf-protection \
    -Wformat -Werror=format-security -Wdate-time -D_FORTIFY_SOURCE=2 -c -o tiny.o tiny.c\n\
    gcc -Wl,-z,relro -Wl,-z,now -o tiny tiny.o\ndpkg-buildpackage: info: binary-only upload\n";

/// The numbers of the artifacts.
pub(crate) struct Stored {
    /// Two versions of a source package.
    pub(crate) sources: [i64; 2],
    /// The same of a binary package.
    pub(crate) packages: [i64; 2],
    pub(crate) build_log: i64,
}

impl Stored {
    /// Stores them.
    pub(crate) fn on(server: &Server) -> Self {
        let folder = server.folder().join("inputs");
        fs::create_dir(&folder).unwrap();
        let mut script = "set -e; cd /srv/inputs;".to_owned();
        for (version, greeting) in [("1.0", "hello\n"), ("1.1", "hello there\n")] {
            let files = [
                ("debian/rules", RULES),
                ("debian/control", CONTROL),
                ("debian/tests/control", TESTS),
                ("greeting", greeting),
            ];
            let (dsc, deb) = (
                format!("tiny_{version}.dsc"),
                format!("tiny_{version}_all.deb"),
            );
            packages::source(&folder, &dsc, &files);
            packages::deb(&folder, &deb, &[("usr/share/tiny/greeting", greeting)]);
            for file in [dsc, deb] {
                let import = "debusine import-debian-artifact --workspace System";
                write!(script, "{import} {file};").unwrap();
            }
        }
        let log = "tiny_1.0_amd64.build";
        fs::write(folder.join(log), BUILD_LOG).unwrap();
        let data = format!("{{source: tiny, version: '1.0', filename: {log}}}");
        fs::write(folder.join("data"), data).unwrap();
        write!(
            script,
            "debusine create-artifact debian:package-build-log --workspace System --data data --upload {log}"
        )
        .unwrap();
        let ids = ids(&said(server, &script));
        Self {
            sources: [ids[0], ids[2]],
            packages: [ids[1], ids[3]],
            build_log: ids[4],
        }
    }
}

/// What a script with the client says.
fn said(server: &Server, script: &str) -> String {
    let settings = server.folder().join("home/.config/debusine/client");
    fs::create_dir_all(&settings).unwrap();
    let text = format!(
        "[General]\ndefault-server = test\n[server:test]\nscope = debusine\napi-url = {}\ntoken = {}\n",
        server.url(),
        server.token()
    );
    fs::write(settings.join("config.ini"), text).unwrap();
    let mut client = server
        .system
        .command(server.folder(), &["sh", "-c", script]);
    let said = client.output().unwrap();
    assert!(said.status.success(), "{said:?}");
    String::from_utf8(said.stdout).unwrap()
}

fn ids(said: &str) -> Vec<i64> {
    let ids = said
        .lines()
        .filter_map(|line| line.strip_prefix("artifact_id: "));
    ids.map(|id| id.parse().unwrap()).collect()
}
