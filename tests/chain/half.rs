//! Tools that work on files: no system is made, nothing is fetched.

use crate::{
    chain::{Chain, Made},
    tiny::Tiny,
};
use serde_json::json;
use std::{fs, thread};
use taskbay_test::{has_tools, skip};

const TASKS: [&str; 5] = [
    "lintian",
    "blhc",
    "debdiff",
    "makesourcepackageupload",
    "mergeuploads",
];
const TOOLS: [&str; 6] = [
    "lintian",
    "blhc",
    "debdiff",
    "dpkg-source",
    "dpkg-buildpackage",
    "make",
];

/// What a build with all flags says, and one without any.
const GOOD_LOG: &str = "dpkg-buildpackage: info: source package tiny\n\
    gcc -g -O2 -fstack-protector-strong -Wformat -Werror=format-security -Wdate-time -D_FORTIFY_SOURCE=2 -c -o a.o a.c\n";
const BAD_LOG: &str = "dpkg-buildpackage: info: source package tiny\ngcc -c -o a.o a.c\n";

#[test]
fn the_half_without_a_system() {
    if !has_tools(&TOOLS) {
        return;
    }
    let chain = Chain::of(&TASKS);
    let place = |name: &str| chain.bay.farm.path(name);
    let old = Tiny::build(&place("old"), "1.0", "Hello.\n");
    let new = Tiny::build(&place("new"), "1.1", "Hello, world.\n");
    let sources = [&old, &new].map(|tiny| chain.import(&tiny.file(".dsc")));
    let packages = [&old, &new].map(|tiny| chain.import(&tiny.file("_all.deb")));
    sources[1].knows(&["name", "version", "type", "dsc_fields"]);
    assert_eq!(sources[1].data()["version"], "1.1");

    let built = chain.import(&new.file("_all.changes"));
    thread::scope(|scope| {
        scope.spawn(|| checks(&chain, &sources[1], &packages[1]));
        scope.spawn(|| build_logs(&chain));
        scope.spawn(|| differences(&chain, &sources, "tiny_1.0.dsc", "tiny_1.1.dsc"));
        scope.spawn(|| differences(&chain, &packages, "tiny_1.0_all.deb", "tiny_1.1_all.deb"));
        scope.spawn(|| uploads(&chain, &sources[1], &built));
    });
    if std::env::var_os("TASKBAY_TEST_FULL").is_none() {
        skip(
            "mmdebstrap, sbuild, autopkgtest and piuparts, and lintian, blhc and debdiff in a system of their own: \
             they take minutes; `make chain` runs them",
        );
    }
}

/// lintian looks at both, and says of each what it found.
fn checks(chain: &Chain, source: &Made, package: &Made) {
    let input = json!({"source_artifact": source.id, "binary_artifacts": [package.id]});
    let step = chain.request("lintian", &json!({"input": input}));
    let step = step.is("success");
    step.made_only(&["debian:lintian", "debian:lintian"]);
    for (made, architecture) in step.made().iter().zip(["source", "all"]) {
        made.knows(&["architecture", "summary"])
            .is_related("relates-to", &[source, package]);
        assert_eq!(made.data()["architecture"], architecture);
        assert_eq!(made.files(), ["analysis.json", "lintian.txt"]);
    }
    // The package has no copyright file.
    let strict = json!({"input": input, "fail_on_severity": "error"});
    chain.request("lintian", &strict).is("failure");
}

fn build_logs(chain: &Chain) {
    for (name, text, result) in [("good", GOOD_LOG, "success"), ("bad", BAD_LOG, "failure")] {
        let file = chain.bay.farm.path(&format!("{name}.build"));
        fs::write(&file, text).unwrap();
        let log = chain.import(&file);
        let step = chain.request("blhc", &json!({"input": {"artifact": log.id}}));
        let step = step.is(result);
        step.only("debian:blhc")
            .knows(&["source", "version", "architecture"])
            .is_related("relates-to", &[&log]);
    }
}

/// debdiff compares two versions, of what they are artifacts of.
fn differences(chain: &Chain, versions: &[Made; 2], original: &str, new: &str) {
    let ids = versions.each_ref().map(|made| made.id);
    let key = match versions[0].category() {
        "debian:source-package" => "source_artifacts",
        _ => "binary_artifacts",
    };
    let step = chain.request("debdiff", &json!({"input": {key: ids}}));
    let made = step.is("success").only("debian:debdiff");
    made.knows(&["original", "new", "label"])
        .is_related("relates-to", &[&versions[0], &versions[1]]);
    let of = match key {
        "source_artifacts" => " (source)",
        _ => "",
    };
    let label = format!("debdiff tiny: 1.0 \u{2192} 1.1{of}");
    assert_eq!(
        made.data(),
        &json!({"original": original, "new": new, "label": label})
    );
    let text = fs::read_to_string(chain.export(&made).join("debdiff.txt")).unwrap();
    assert!(text.contains("1.1"), "{text}");
}

/// The source becomes an upload, and that one upload with what was built of it.
fn uploads(chain: &Chain, source: &Made, built: &Made) {
    let data = json!({"input": {"source_artifact": source.id}, "target_distribution": "sid"});
    let step = chain.request("makesourcepackageupload", &data);
    let uploaded = step.is("success").only("debian:upload");
    uploaded
        .knows(&["type", "changes_fields"])
        .is_related("extends", &[source])
        .is_related("relates-to", &[source]);
    let data = json!({"input": {"uploads": [uploaded.id, built.id]}});
    let step = chain.request("mergeuploads", &data);
    let merged = step.is("success").only("debian:upload");
    is_whole_upload(chain, &merged, &[&uploaded, built]);
    let fields = &merged.data()["changes_fields"];
    assert_eq!(fields["Architecture"], "all source");
    assert_eq!(fields["Distribution"], "sid");
    merged.file("tiny_1.1.dsc");
    merged.file("tiny_1.1_all.deb");
}

/// An upload is of these parts, and has all files that it names, with the content that it says.
pub(crate) fn is_whole_upload(chain: &Chain, merged: &Made, parts: &[&Made]) {
    merged
        .knows(&["type", "changes_fields"])
        .is_related("extends", parts)
        .is_related("relates-to", parts);
    for file in parts.iter().flat_map(|part| part.files()) {
        let is_own = file.ends_with(".changes");
        assert!(is_own || merged.files().contains(&file), "{file}");
    }
    let folder = chain.export(merged);
    // That looks into the files.
    let again = chain.import(&folder.join(merged.file("_multi.changes")));
    assert_eq!(again.data(), merged.data());
    assert_eq!(again.files(), merged.files());
}
