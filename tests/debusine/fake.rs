//! A fake `mmdebstrap`, which leaves files as large as somebody wants them, where the real one takes minutes.

use crate::worker::Place;
use serde_json::{Value, json};
use std::fs;

/// Says when it has begun, goes on when it is told to, leaves what our task and Debusine's read of a system, and says when
/// it has.
const PROGRAM: &str = r#"#!/bin/sh
set -e
echo now it is begun
echo begun >>/srv/begun
until [ -e /srv/go-on ]; do sleep 0.1; done
cat /etc/os-release >os-release
printf 'Package: tiny\nStatus: install ok installed\nVersion: 1.0\nArchitecture: all\nMaintainer: A <a@b>\nDescription: t\n\n' >dpkg-status
mkdir -p var_lib_dpkg/dpkg
cp dpkg-status var_lib_dpkg/dpkg/status
echo no >init
echo 1 >test-sbin-init
head -c "$(cat /srv/size)" /dev/urandom >system.tar.xz
touch /srv/made
"#;

/// A request for a system. The components are named, since Debusine asks the mirror for them otherwise.
pub(crate) fn request() -> Value {
    json!({
        "bootstrap_options": {"architecture": "amd64", "variant": "minbase"},
        "bootstrap_repositories": [
            {"mirror": "http://localhost/none", "suite": "trixie", "components": ["main"]},
        ],
    })
}

/// Puts it in the place of a worker. Its system has so many bytes, which nobody has seen before.
pub(crate) fn add_to(place: &Place, size: u64) {
    place.add_program("mmdebstrap", PROGRAM);
    fs::write(place.path("size"), size.to_string()).unwrap();
}

/// Lets it go on.
pub(crate) fn go_on(place: &Place) {
    fs::write(place.path("go-on"), "").unwrap();
}

/// From now on it waits again until it is let go on.
pub(crate) fn waits(place: &Place) {
    fs::remove_file(place.path("go-on")).unwrap();
}

/// How often it was started.
pub(crate) fn begun(place: &Place) -> usize {
    let begun = fs::read_to_string(place.path("begun"));
    begun.unwrap_or_default().lines().count()
}
