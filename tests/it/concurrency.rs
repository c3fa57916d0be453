//! Many threads and many processes at once.

use crate::{
    farm::{Farm, Ran},
    unruly,
};
use std::{sync::Arc, thread};
use taskbay_core::Metadata;
use taskbay_loader::{Entry, Status, TrustPolicy, scan};

/// Each thread scans, loads, lists, configures and judges, with one loader and one store between them.
#[test]
fn threads_share_a_loader() {
    let farm = Farm::with(&["noop", "lintian"]);
    for fault in [
        "none",
        "describe-panics",
        "configure-panics",
        "schema-invalid",
    ] {
        farm.add_unruly(fault);
    }
    let (loader, path) = (farm.loader(), farm.search_path());
    thread::scope(|scope| {
        for number in 0..12 {
            let (loader, path) = (&loader, &path);
            scope.spawn(move || {
                let scanned = scan(path, TrustPolicy::OwnerOnly, loader);
                let rows: Vec<_> = scanned.catalog.entries.iter().map(Entry::row).collect();
                let ok = rows.iter().filter(|row| row.status == Status::Ok).count();
                assert_eq!((ok, rows.len()), (4, 6), "{rows:#?}");
                let plugin = scanned.registry.get(&unruly::name("none")).unwrap();
                let name = plugin.name().as_str();
                let worker = format!(r#"{{"{name}:version": 1, "{name}:level": {number}}}"#);
                let worker = plugin.worker(Arc::new(Metadata::parse(&worker).unwrap()));
                for level in 0..50 {
                    let task = plugin
                        .configure(&format!(r#"{{"level": {level}}}"#))
                        .unwrap();
                    assert_eq!(task.verdict(&worker).can_run(), level <= number);
                }
                let panics = scanned
                    .registry
                    .get(&unruly::name("configure-panics"))
                    .unwrap();
                assert!(panics.configure("{}").is_err());
                assert!(plugin.analyze(&Metadata::default()).is_ok());
            });
        }
    });
}

/// One plugin, asked by all threads at once.
#[test]
fn threads_share_a_plugin() {
    let farm = Farm::with(&[]);
    farm.add_unruly("none");
    let scanned = farm.scan();
    let plugin = scanned.registry.get(&unruly::name("none")).unwrap();
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                for level in -20..20 {
                    let configured = plugin.configure(&format!(r#"{{"level": {level}}}"#));
                    assert_eq!(configured.is_ok(), level >= 0);
                }
            });
        }
    });
}

/// Processes that all make the private copies, and the quarantine, for the first time.
#[test]
fn processes_share_a_cache() {
    let farm = Farm::with(&["noop", "lintian", "debdiff", "blhc"]);
    farm.add_unruly("constructor-crashes");
    let commands: [&[&str]; 4] = [
        &["list", "--load"],
        &["analyze"],
        &["run", "noop", "{}"],
        &["validate", "noop", "{}"],
    ];
    thread::scope(|scope| {
        for arguments in commands.iter().cycle().take(12) {
            let farm = &farm;
            scope.spawn(move || {
                Ran::of(&mut farm.command(arguments)).succeeds();
            });
        }
    });
    assert_eq!(
        farm.row("constructor-crashes.so", false)["status"],
        "quarantined"
    );
    farm.assert_noop_runs();
}
