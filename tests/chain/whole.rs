//! From nothing but a mirror to an upload.

use crate::{
    chain::{Chain, Made, Step, say},
    half::is_whole_upload,
    hello::Hello,
};
use serde_json::{Value, json};
use std::{fs, thread, time::Instant};
use taskbay_test::{debian_mirror, has_tools, is_full, native_architecture};

const TASKS: [&str; 9] = [
    "mmdebstrap",
    "sbuild",
    "lintian",
    "blhc",
    "debdiff",
    "autopkgtest",
    "piuparts",
    "makesourcepackageupload",
    "mergeuploads",
];
const TOOLS: [&str; 7] = [
    "mmdebstrap",
    "newuidmap",
    "sbuild",
    "lintian",
    "blhc",
    "debdiff",
    "autopkgtest",
];

/// What the steps have in common.
struct Run {
    chain: Chain,
    architecture: String,
    /// The lookup of the system that the first step makes.
    environment: String,
    source: Made,
    /// What Debian's own build daemon made of it.
    archived: Made,
}

/// What a build made.
struct Build {
    log: Made,
    /// Of `hello`; there is one with debugging symbols, too.
    package: Made,
    upload: Made,
}

#[test]
fn hello_from_a_mirror_to_an_upload() {
    if !is_full() || !has_tools(&TOOLS) {
        return;
    }
    let Some(mirror) = debian_mirror() else {
        return;
    };
    let chain = Chain::of(&TASKS);
    let place = chain.bay.farm.path("hello");
    fs::create_dir(&place).unwrap();
    let hello = Hello::fetch(&place, &mirror);
    let source = chain.import(&hello.dsc);
    assert_eq!(source.data()["name"], "hello");
    let archived = chain.import(&hello.deb);
    let run = Run {
        chain,
        architecture: native_architecture(),
        environment: "debian/match:codename=bookworm:variant=buildd".to_owned(),
        source,
        archived,
    };
    run.system(&mirror);
    let build = run.build();
    let package = &build.package;
    // As many at a time as the worker has slots for.
    thread::scope(|scope| {
        scope.spawn(|| run.autopkgtest(package));
        scope.spawn(|| run.piuparts(package));
        scope.spawn(|| run.lintian(&build.upload));
        scope.spawn(|| run.blhc(&build.log));
        scope.spawn(|| run.debdiff(package));
        scope.spawn(|| run.uploads(&build.upload));
    });
}

impl Run {
    /// Has a task executed, and says how long that took.
    #[track_caller]
    fn step<'c>(&'c self, task: &'c str, data: &Value) -> Step<'c> {
        let started = Instant::now();
        let step = self.chain.request(task, data);
        let took = started.elapsed().as_secs();
        let made = step.made();
        let made: Vec<_> = made.iter().map(Made::category).collect();
        say(&format!("{task}: after {took} s: {}", made.join(", ")));
        step
    }

    fn system(&self, mirror: &str) {
        let data = json!({
            "bootstrap_options": {"architecture": self.architecture, "variant": "buildd"},
            "bootstrap_repositories": [{"mirror": mirror, "suite": "bookworm", "components": ["main"]}],
        });
        let step = self.step("mmdebstrap", &data).is("success");
        step.made_only(&["debian:system-tarball"]);
        let system = step.only("debian:system-tarball");
        system.knows(&[
            "filename",
            "vendor",
            "codename",
            "mirror",
            "components",
            "variant",
            "pkglist",
            "architecture",
            "with_dev",
            "with_init",
        ]);
        let data = system.data();
        assert_eq!(
            (&data["vendor"], &data["codename"], &data["variant"]),
            (&json!("debian"), &json!("bookworm"), &json!("buildd"))
        );
        assert!(data["pkglist"]["build-essential"].is_string(), "{data:#}");
        assert_eq!(system.files(), [data["filename"].as_str().unwrap()]);
    }

    fn build(&self) -> Build {
        let data = json!({
            "input": {"source_artifact": self.source.id}, "environment": self.environment,
            "build_architecture": self.architecture,
        });
        let step = self.step("sbuild", &data).is("success");
        step.made_only(&[
            "debian:package-build-log",
            "debian:binary-package",
            "debian:binary-package",
            "debian:binary-packages",
            "debian:debug-symbols",
            "debian:upload",
            "debusine:signing-input",
        ]);
        let [log, first, second, together, symbols, upload, to_sign] = &step.made()[..] else {
            panic!("not seven");
        };
        log.knows(&[
            "source",
            "version",
            "architecture",
            "filename",
            "bd_uninstallable",
        ])
        .is_related("relates-to", &[&self.source, together, upload])
        .is_related("relates-to", &[first, second]);
        assert_eq!(log.data()["source"], "hello");
        assert_eq!(log.data()["architecture"], self.architecture);
        for package in [first, second] {
            package
                .knows(&[
                    "srcpkg_name",
                    "srcpkg_version",
                    "deb_fields",
                    "deb_control_files",
                ])
                .is_related("built-using", &[&self.source]);
        }
        together
            .knows(&[
                "srcpkg_name",
                "srcpkg_version",
                "version",
                "architecture",
                "packages",
            ])
            .is_related("built-using", &[&self.source]);
        let parts = [first, second, together];
        upload
            .knows(&["type", "changes_fields"])
            .is_related("extends", &parts)
            .is_related("relates-to", &parts);
        assert_eq!(upload.data()["changes_fields"]["Distribution"], "bookworm");
        to_sign
            .knows(&["trusted_certs", "binary_package_name"])
            .is_related("relates-to", &[upload]);
        let is_hello = |made: &&Made| made.data()["deb_fields"]["Package"] == "hello";
        let hello = [first, second].into_iter().find(is_hello).unwrap();
        symbols.knows(&["build_ids"]);
        symbols.is_related("relates-to", &[hello]);
        let id = hello.id;
        Build {
            log: self.chain.artifact(log.id),
            package: self.chain.artifact(id),
            upload: self.chain.artifact(upload.id),
        }
    }

    fn lintian(&self, upload: &Made) {
        for environment in [Value::Null, json!(self.environment)] {
            let data = json!({
                "input": {"source_artifact": self.source.id, "binary_artifacts": [upload.id]},
                "environment": environment, "target_distribution": "debian:bookworm",
            });
            let step = self.step("lintian", &data).is("success");
            for made in step.made() {
                made.knows(&["architecture", "summary"]);
                assert_eq!(made.data()["summary"]["distribution"], "debian:bookworm");
            }
        }
    }

    fn blhc(&self, log: &Made) {
        for environment in [Value::Null, json!(self.environment)] {
            let data = json!({"input": {"artifact": log.id}, "environment": environment});
            let step = self.step("blhc", &data).is("success");
            let made = step.only("debian:blhc");
            made.knows(&["source", "version", "architecture"])
                .is_related("relates-to", &[log]);
            assert_eq!(made.data()["architecture"], self.architecture);
            assert_eq!(made.files(), ["blhc.txt"]);
        }
    }

    /// What was built here against what Debian has.
    fn debdiff(&self, package: &Made) {
        for environment in [Value::Null, json!(self.environment)] {
            let data = json!({
                "input": {"binary_artifacts": [self.archived.id, package.id]}, "environment": environment,
            });
            let step = self.step("debdiff", &data).is("success");
            let made = step.only("debian:debdiff");
            made.knows(&["original", "new", "label"])
                .is_related("relates-to", &[&self.archived, package]);
        }
    }

    fn autopkgtest(&self, package: &Made) {
        let data = json!({
            "input": {"source_artifact": self.source.id, "binary_artifacts": [package.id]},
            "environment": self.environment, "build_architecture": self.architecture,
        });
        let step = self.step("autopkgtest", &data).is("success");
        let made = step.only("debian:autopkgtest");
        made.knows(&[
            "results",
            "cmdline",
            "source_package",
            "architecture",
            "distribution",
        ])
        .is_related("relates-to", &[&self.source, package]);
        assert_eq!(made.data()["distribution"], "debian:bookworm");
        for file in ["log", "summary", "testpkg-version"] {
            made.file(file);
        }
        let results = made.data()["results"].as_object().unwrap();
        assert!(!results.is_empty());
        for (test, result) in results {
            assert_eq!(result["status"], "PASS", "{test}");
        }
    }

    fn piuparts(&self, package: &Made) {
        let data = json!({
            "input": {"binary_artifacts": [package.id]}, "environment": self.environment,
            "base_tgz": self.environment, "build_architecture": self.architecture,
        });
        let step = self.step("piuparts", &data).is("success");
        let made = step.only("debian:piuparts");
        made.knows(&[
            "piuparts_version",
            "binary_packages",
            "architecture",
            "distribution",
        ])
        .is_related("relates-to", &[package]);
        assert_eq!(made.files(), ["piuparts.txt"]);
        let log = step.log();
        assert!(log.contains("PASS: All tests."), "{log}");
    }

    fn uploads(&self, built: &Made) {
        let data = json!({"input": {"source_artifact": self.source.id}});
        let step = self.step("makesourcepackageupload", &data).is("success");
        let uploaded = step.only("debian:upload");
        uploaded
            .is_related("extends", &[&self.source])
            .is_related("relates-to", &[&self.source]);
        let data = json!({"input": {"uploads": [uploaded.id, built.id]}});
        let step = self.step("mergeuploads", &data).is("success");
        let merged = step.only("debian:upload");
        is_whole_upload(&self.chain, &merged, &[&uploaded, built]);
        for ending in [".dsc", ".deb", ".buildinfo", "_multi.changes"] {
            merged.file(ending);
        }
        let fields = &merged.data()["changes_fields"];
        assert_eq!(fields["Source"], "hello");
    }
}
