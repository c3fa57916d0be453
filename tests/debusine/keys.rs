//! Task data as a server of Debusine 0.16.2 takes it, or a later one.

use crate::{farm::Farm, server::Server, worker::PLUGINS};
use serde_json::{Value, json};

/// A server refuses keys that it does not know, and so do plugins.
#[test]
fn plugins_take_what_the_server_takes() {
    let Some(server) = Server::start_newer() else {
        return;
    };
    let source = |version: &str| {
        let fields = json!({"Source": "tiny", "Version": version, "Architecture": "all"});
        let data =
            json!({"name": "tiny", "version": version, "type": "dpkg", "dsc_fields": fields});
        server.store("debian:source-package", &data)
    };
    let sources = [source("1.0"), source("1.1")];
    let package = server.store(
        "debian:binary-package",
        &json!({
            "srcpkg_name": "tiny", "srcpkg_version": "1.0", "deb_control_files": ["control"],
            "deb_fields": {"Package": "tiny", "Version": "1.0", "Architecture": "all"},
        }),
    );
    let log = server.store(
        "debian:package-build-log",
        &json!({"source": "tiny", "version": "1.0", "filename": "tiny.build", "architecture": "all"}),
    );
    let environment = server.store(
        "debian:system-tarball",
        &json!({
            "filename": "system.tar.xz", "vendor": "debian", "codename": "sid", "components": ["main"],
            "architecture": "amd64", "variant": "buildd", "mirror": "http://localhost/", "pkglist": {},
            "with_dev": true, "with_init": false,
        }),
    );
    let farm = Farm::with(&PLUGINS);
    for (task, mut data) in requests(sources, package, log, environment) {
        // As the server gives it out.
        let is_in_one = !["mmdebstrap", "noop"].contains(&task);
        if is_in_one {
            data["environment"] = environment.into();
            data["build_architecture"] = "amd64".into();
            data["backend"] = "unshare".into();
        }
        let id = server.submit(task, &data);
        let request = format!("select task_data from db_workrequest where id = {id}");
        let given = server.records.row(&request)["task_data"].to_string();
        farm.run(&["validate", task, &given]).succeeds();
    }
}

/// Requests with the keys that are this server's.
fn requests(
    sources: [i64; 2],
    package: i64,
    log: i64,
    environment: i64,
) -> Vec<(&'static str, Value)> {
    let [source, _] = sources;
    let repositories = json!([
        {"url": "http://localhost/x", "suite": "sid", "components": ["main"], "architectures": ["amd64"]},
    ]);
    let binnmu = json!({
        "changelog": "x", "suffix": "+b1", "timestamp": "2024-05-01T15:00:00Z", "maintainer": "A Person <a@example.org>",
    });
    vec![
        (
            "noop",
            json!({"result": "error", "backend": "unshare", "build_architecture": "amd64"}),
        ),
        (
            "mmdebstrap",
            json!({
                "bootstrap_options": {"architecture": "amd64", "variant": "minbase", "gpgv_command": "gpgv"},
                "bootstrap_repositories": [{"mirror": "http://localhost/none", "suite": "trixie"}],
            }),
        ),
        (
            "lintian",
            json!({"input": {"source_artifact": source}, "fail_on_severity": "none"}),
        ),
        (
            "blhc",
            json!({"input": {"artifact": log}, "extra_flags": ["--all"]}),
        ),
        ("debdiff", json!({"input": {"source_artifacts": sources}})),
        (
            "debdiff",
            json!({"input": {"binary_artifacts": [[package], [package]]}}),
        ),
        (
            "autopkgtest",
            json!({
                "input": {"source_artifact": source, "binary_artifacts": [package]}, "timeout": {"global": 60},
                "pin_packages": {"unstable": ["src:tiny"]}, "extra_repositories": repositories,
            }),
        ),
        (
            "piuparts",
            json!({"input": {"binary_artifacts": [package]}, "base_tgz": environment}),
        ),
        (
            "sbuild",
            json!({
                "input": {"source_artifact": source}, "build_components": ["any", "all"], "build_dep_resolver": "aspcud",
                "aspcud_criteria": "-removed", "resolve_alternatives": true, "extra_repositories": repositories,
            }),
        ),
        (
            "sbuild",
            json!({"input": {"source_artifact": source}, "binnmu": binnmu}),
        ),
    ]
}
