//! What is signed for the firmware, from a template package to a source package.

#[path = "../../plugins/assemblesignedsource/src/tests/template.rs"]
mod template;

use crate::{bay::Bay, farm::built};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    path::Path,
    process::Command,
};
use taskbay_engine::{NewArtifact, NewFile};
use taskbay_plugin_api::Artifact;
use taskbay_test::{artifact, has_tools, packages};
use template::{Template, signed};

/// Stores an artifact, as whoever signs would.
fn store(bay: &Bay, artifact: &Artifact) -> u64 {
    let files = artifact.files.iter().map(|file| NewFile {
        name: artifact.name(file).unwrap().to_str().unwrap().to_owned(),
        content: Box::new(File::open(file).unwrap()),
    });
    let new = NewArtifact {
        category: artifact.category.clone(),
        data: artifact.data.clone(),
        files: files.collect(),
        made_by: None,
    };
    bay.engine().create_artifact(new).unwrap()
}

/// Executes a request, and gives the artifacts that it made.
fn made(bay: &Bay, task: &str, data: &Value) -> Vec<Value> {
    let id = bay.submit(&[task, &data.to_string()]);
    let request = bay.completes(id);
    assert_eq!(request["result"], "success", "{request}");
    let list = ["artifact", "list", "--request", &id.to_string(), "--json"];
    let listed = bay.run(&list).succeeds().json();
    let mut made = listed["artifacts"].as_array().unwrap().clone();
    made.sort_by_key(|artifact| artifact["id"].as_u64());
    made
}

fn export(bay: &Bay, artifact: &Value, directory: &Path) {
    let id = artifact["id"].to_string();
    let export = ["artifact", "export", &id, directory.to_str().unwrap()];
    bay.run(&export).succeeds();
}

/// The folders of a file's name go into the store and out of it, so that whoever signs knows which file it is.
pub(crate) fn what_a_template_names_is_signed(bay: &Bay) {
    if !has_tools(&["dpkg-deb", "dpkg-source", "dpkg-genchanges", "openssl"]) {
        return;
    }
    for task in ["extractforsigning", "assemblesignedsource"] {
        let plugin = built().join(format!("libtaskbay_task_{task}.so"));
        fs::copy(plugin, bay.farm.plugins().join(format!("{task}.so"))).unwrap();
    }
    let place = bay.farm.path("made");
    fs::create_dir(&place).unwrap();
    let kernel = [("boot/vmlinuz", "kernel")];
    let tiny = packages::deb(&place, "tiny_1.0_amd64.deb", &kernel);
    let tiny = store(bay, &artifact("debian:binary-package", vec![tiny]));
    let template = store(bay, &Template::default().build(&place));
    let _serve = bay.start(&["serve", "--name", "here"]);

    let input = json!({"template_artifact": template, "binary_artifacts": [tiny]});
    let to_sign = made(bay, "extractforsigning", &json!({"input": input}));
    let [to_sign] = &to_sign[..] else {
        panic!("{to_sign:?}");
    };
    assert_eq!(to_sign["files"][0]["name"], "tiny/boot/vmlinuz");
    let unsigned = bay.farm.path("unsigned");
    export(bay, to_sign, &unsigned);
    let file = unsigned.join("tiny/boot/vmlinuz");
    assert_eq!(fs::read_to_string(file).unwrap(), "kernel");

    let signature = signed(&place, "tiny/boot/vmlinuz");
    let signed = store(bay, &signature);
    let data = json!({"template": template, "signed": [signed]});
    let assembled = made(bay, "assemblesignedsource", &data);
    let categories = assembled.iter().map(|artifact| &artifact["category"]);
    let wanted = ["debian:source-package", "debian:upload"];
    assert_eq!(categories.collect::<Vec<_>>(), wanted);
    let upload = bay.farm.path("upload");
    export(bay, &assembled[1], &upload);
    let unpacked = bay.farm.path("unpacked");
    let mut unpack = Command::new("dpkg-source");
    let dsc = upload.join("tiny-signed_1.0+2.dsc");
    let output = unpack.arg("-x").arg(dsc).arg(&unpacked).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        fs::read(unpacked.join("debian/signatures/tiny/boot/vmlinuz.sig")).unwrap(),
        fs::read(&signature.files[0]).unwrap()
    );
}
