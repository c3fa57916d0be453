//! The interface grows, and plugins and hosts of its older and newer versions still fit one another.
//!
//! Those of other versions are built from this workspace's source, with the diffs in `interfaces/`. Where the source has
//! moved on under a diff, the test says which lines it misses. When an interface is released, it is recorded there as
//! `<version>.txt`, and the diffs get versions above it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unused_imports,
    reason = "a test that cannot go on fails; of the farm only a part is used here"
)]

#[path = "../it/farm.rs"]
mod farm;
#[path = "../it/unruly.rs"]
mod unruly;

/// What authors have written against the crates that are theirs.
mod author;
/// The JSON documents that cross.
mod documents;
/// Plugins and hosts of other interfaces and other builds.
mod generated;
/// Diffs.
mod patch;
/// What each released interface said, and that it only grew since.
mod released;

use farm::{Farm, Ran};
use generated::Generated;
use serde_json::Value;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    sync::LazyLock,
};
use taskbay_core::{Abort, Context, Declared};
use taskbay_loader::{
    LoadError, Loader, Rejection, Scan, SearchPath, State, Store, TrustPolicy, scan,
};

/// Appends a field to the root module and to the host's functions, and a method to the configured task.
static NEWER: LazyLock<Generated> = LazyLock::new(|| Generated::patched_with_host("newer"));

/// The interface of 1.0, the first that was released.
static OLDER: LazyLock<Generated> = LazyLock::new(|| Generated::patched("older"));

/// A farm with that plugin alone.
fn farm_with(plugin: &Path) -> Farm {
    let farm = Farm::with(&[]);
    let copy = farm.plugins().join("it.so");
    fs::copy(plugin, &copy).unwrap();
    fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
    farm
}

/// What the newer host says of the farm's one plugin.
fn asked_by_newer_host(farm: &Farm) -> Value {
    let mut host = Command::new(NEWER.host());
    let ran = Ran::of(host.arg(farm.plugins()).arg(farm.here()));
    ran.succeeds().json()
}

/// Asserts that the farm's one plugin, a noop, works in this process and in that of a plugin host.
fn assert_works(farm: &Farm) {
    let scanned = farm.scan();
    let entry = &scanned.catalog.entries[0].state;
    let noop = scanned
        .registry
        .get("noop")
        .unwrap_or_else(|_| panic!("{entry:?}"));
    assert!(noop.schema().unwrap()["properties"]["result"].is_object());
    for (data, result) in [("{}", true), (r#"{"result": false}"#, false)] {
        let task = noop.configure(data).unwrap();
        let context = Context::new(farm.here(), Abort::new());
        assert_eq!(task.execute(&context).unwrap().unwrap(), result);
    }
    assert!(noop.configure(r#"{"no": 1}"#).is_err());
    assert_eq!(farm.row("it.so", true)["status"], "ok");
    let ran = farm.run(&["run", "noop", "{}", "--json"]);
    assert_eq!(ran.succeeds().json()["result"], "success", "{ran:?}");
}

/// Asserts that the farm's one plugin is refused since its layout differs: in three lines that name both versions.
fn assert_is_refused(farm: &Farm, version: &str) {
    let host = released::version();
    let scanned = farm.scan();
    let State::Rejected(rejection) = &scanned.catalog.entries[0].state else {
        panic!("{:?}", scanned.catalog.entries[0]);
    };
    assert!(
        matches!(rejection, Rejection::Load(LoadError::Layout { .. })),
        "{rejection:?}"
    );
    let lines = rejection.details().unwrap().lines().count();
    assert!(lines > 3, "the details have {lines} lines");
    let listed = farm.run(&["list", "--load"]);
    let lines: Vec<_> = listed.succeeds().stdout.lines().skip(1).collect();
    let [row, cause, help] = lines[..] else {
        panic!("{lines:#?}");
    };
    assert!(row.contains("rejected") && row.ends_with("/it.so"), "{row}");
    assert_eq!(
        cause,
        format!(
            "  cause: its interface is laid out differently: it was built against plugin API {version}, \
            this host has {host}"
        )
    );
    assert_eq!(
        help,
        format!("  help:  rebuild it against taskbay-plugin-api {host}")
    );
    farm.run(&["run", "noop", "{}"]).fails(4, &[version, &host]);
}

/// A field that an older plugin lacks reads as none, and a method that it lacks runs its default body.
#[test]
fn an_old_plugin_works_in_a_new_host() {
    let said = asked_by_newer_host(&Farm::with(&["noop"]));
    assert_eq!(said["about"], Value::Null, "{said:#}");
    assert_eq!(said["estimate"], "the default body's", "{said:#}");
    assert_noop(&said);
}

/// The first interface that was released: what was appended since is not there, and nothing changes for the plugin.
#[test]
fn a_plugin_of_the_first_interface_works() {
    let farm = farm_with(&OLDER.plugin());
    assert_works(&farm);
    let inspected = farm.run(&["inspect", "noop", "--json"]);
    assert_eq!(inspected.json()["api"], "1.0.0", "{inspected:#?}");
    let scanned = farm.scan();
    let task = scanned.registry.get("noop").unwrap();
    let declared = task.configure("{}").unwrap().declared().unwrap();
    assert_eq!(declared, Declared::default());
}

/// Old and new plugins are loaded into one process, in whichever order.
#[test]
fn plugins_of_several_interfaces_work_in_one_process() {
    for name in ["a.so", "z.so"] {
        let farm = Farm::with(&["sleep", "blhc"]);
        let copy = farm.plugins().join(name);
        fs::copy(OLDER.plugin(), &copy).unwrap();
        fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
        let listed = farm.run(&["list", "--load", "--json"]);
        let listed = listed.succeeds().json();
        let tasks = listed["tasks"].as_array().unwrap();
        assert_eq!(tasks.len(), 3, "{listed:#}");
        assert!(tasks.iter().all(|row| row["status"] == "ok"), "{listed:#}");
        assert_eq!(farm.scan().registry.names().count(), 3);
    }
}

/// The contrast to the others: what was appended is there, and is asked.
#[test]
fn a_new_plugin_works_in_a_new_host() {
    let said = asked_by_newer_host(&farm_with(&NEWER.plugin()));
    assert_eq!(said["about"], "the plugin of 1.2.0", "{said:#}");
    assert_eq!(said["estimate"], "the plugin's own", "{said:#}");
    assert_noop(&said);
}

fn assert_noop(said: &Value) {
    assert_eq!(said["name"], "noop", "{said:#}");
    assert_eq!(said["properties"]["result"]["default"], true, "{said:#}");
    assert_eq!(said["data"], r#"{"result":true}"#, "{said:#}");
    assert_eq!(said["executed"], true, "{said:#}");
}

/// A function that an older host lacks reads as none in the plugin.
#[test]
fn a_new_plugin_works_in_an_old_host() {
    let farm = farm_with(&NEWER.plugin());
    assert_works(&farm);
    let ran = farm.run(&["run", "noop", "{}"]);
    assert!(
        ran.succeeds().stderr.contains("the host's number: None"),
        "{ran:#?}"
    );
    let inspected = farm.run(&["inspect", "noop", "--json"]);
    assert!(inspected.stdout.contains("1.2.0"), "{inspected:#?}");
}

/// One field has another type.
#[test]
fn a_plugin_with_a_changed_interface_is_refused() {
    let changed = Generated::patched("changed");
    assert_is_refused(&farm_with(&changed.plugin()), "1.3.0");
}

/// One field is gone.
#[test]
fn a_plugin_with_a_shrunk_interface_is_refused() {
    let removed = Generated::patched("removed");
    assert_is_refused(&farm_with(&removed.plugin()), "1.4.0");
}

/// One field has another type, and the note says what that of a good plugin says, which is loaded before it.
#[test]
fn a_plugin_that_lies_about_its_interface_is_refused() {
    let mut liar = fs::read(Generated::patched("changed").plugin()).unwrap();
    assert!(unruly::replace(&mut liar, "noop", "poon") > 0);
    let farm = Farm::with(&["noop"]);
    let good_file = farm.plugins().join("libtaskbay_task_noop.so");
    let liar_file = farm.plugins().join("zz.so");
    fs::write(&liar_file, &liar).unwrap();
    let mut good = fs::read(&good_file).unwrap();
    let numbers = [&good_file, &liar_file].map(|file| inspected_interface(&farm, file));
    assert_ne!(numbers[0], numbers[1]);
    // It matters that they are the same, not whose it is; the shorter one fits.
    let [good_number, liar_number] = numbers.each_ref().map(String::as_str);
    if liar_number.len() < good_number.len() {
        claim_interface(&mut good, good_number, liar_number);
    } else {
        claim_interface(&mut liar, liar_number, good_number);
    }
    fs::write(&good_file, &good).unwrap();
    fs::write(&liar_file, &liar).unwrap();
    assert_eq!(
        inspected_interface(&farm, &good_file),
        inspected_interface(&farm, &liar_file)
    );
    let scanned = farm.scan();
    assert!(scanned.registry.get("noop").is_ok());
    let state = &scanned.catalog.entries[1].state;
    let is_layout = matches!(
        state,
        State::Rejected(Rejection::Load(LoadError::Layout { .. }))
    );
    assert!(is_layout, "{state:?}");
}

/// Has the note name another interface; spaces fill the place.
fn claim_interface(plugin: &mut [u8], old: &str, new: &str) {
    let key = |number: &str| format!(r#""interface":"{number}""#);
    let width = key(old).len();
    let done = unruly::replace(plugin, &key(old), &format!("{:width$}", key(new)));
    assert_eq!(done, 1);
}

/// What its note says of the interface's layout.
fn inspected_interface(farm: &Farm, file: &Path) -> String {
    let inspected = farm.run(&["inspect", file.to_str().unwrap(), "--json"]);
    inspected.json()["interface"].as_str().unwrap().to_owned()
}

/// Optimised, without assertions or symbols; the hosts here, and the other plugins, are usually not.
#[test]
fn a_release_plugin_works() {
    assert_works(&farm_with(&Generated::release().plugin()));
}

/// The two sides have other features of serde and `serde_json`, so other types of the same name.
#[test]
fn a_plugin_with_other_features_of_serde_works() {
    let farm = farm_with(&Generated::features().plugin());
    assert_works(&farm);
    let data = r#"{"number": 123456789012345678901234567890.10}"#;
    let ran = farm.run(&["run", "noop", data]);
    let logged = "the number: 123456789012345678901234567890.10";
    assert!(ran.succeeds().stderr.contains(logged), "{ran:#?}");
    let analysis = farm.run(&["analyze"]);
    assert!(analysis.json()["noop:count"].is_u64(), "{analysis:#?}");
}
