//! Where outputs go, and how they relate.

use super::*;

#[test]
fn outputs_lie_in_the_output_directory_and_are_known_by_number() {
    let place = Place::new();
    let log = place.write("work/x.build", "log");
    let other = place.write("work/other", "other");
    let id = place
        .upload("debian:package-build-log", &[&log, &other])
        .unwrap();
    assert_eq!(id, 1);
    let [stored] = place.server.artifacts().try_into().unwrap();
    assert_eq!(stored.artifact.data, json!({"a": 1}));
    assert_eq!(
        stored.artifact.files,
        ["output/x.build", "output/other"].map(|name| place.path(name))
    );
    assert_eq!(fs::read(&stored.artifact.files[0]).unwrap(), b"log");
    // What was stored stays, whatever the task does to its own file.
    fs::write(&other, "changed").unwrap();
    fs::create_dir(place.path("work/in")).unwrap();
    let (_, fetched) = place
        .server()
        .fetch(&Lookup::Id(1), &place.path("work/in"))
        .unwrap();
    assert_eq!(fs::read(&fetched.files[1]).unwrap(), b"other");
    // Nothing temporary is left.
    assert_eq!(fs::read_dir(place.path("output")).unwrap().count(), 2);
}

#[test]
fn names_taken_by_this_run_lead_to_a_directory_and_others_are_overwritten() {
    let place = Place::new();
    fs::create_dir(place.path("output")).unwrap();
    place.write("output/analysis.json", "earlier run");
    for text in ["one", "two", "three"] {
        let file = place.write("work/analysis.json", text);
        place.upload("debian:lintian", &[&file]).unwrap();
    }
    let names = [
        "output/analysis.json",
        "output/lintian-2/analysis.json",
        "output/lintian-3/analysis.json",
    ];
    assert_eq!(place.outputs(), names.map(|name| vec![place.path(name)]));
    assert_eq!(fs::read(place.path(names[0])).unwrap(), b"one");
    assert_eq!(fs::read(place.path(names[2])).unwrap(), b"three");
    // A file that is called as one of these directories makes way.
    let file = place.write("work/lintian-2", "x");
    place.upload("../..:../x/..", &[&file]).unwrap();
    assert_eq!(place.outputs()[3], [place.path("output/x-2/lintian-2")]);
}

#[test]
fn a_bad_output_is_refused_whole() {
    let place = Place::new();
    let good = place.write("work/good", "x");
    fifo(&place.path("work/fifo"));
    fs::create_dir(place.path("work/d")).unwrap();
    let twin = place.write("work/d/good", "x");
    for (file, reason) in [
        (place.path("work/gone"), "cannot read"),
        (place.path("work/fifo"), "is a device, FIFO or socket"),
        (place.path("work/d"), "is a directory"),
        (twin, "two files of one artifact are called `good`"),
    ] {
        let error = place
            .upload("debian:lintian", &[&good, &file])
            .unwrap_err()
            .to_string();
        assert!(error.contains(reason), "{error}");
    }
    assert_eq!(place.outputs(), [] as [Vec<PathBuf>; 0]);
    assert!(fs::read_dir(place.path("output")).map_or(0, Iterator::count) == 0);
    // The names are free still.
    place.upload("debian:lintian", &[&good]).unwrap();
    assert_eq!(place.outputs(), [[place.path("output/good")]]);
}

#[test]
fn an_output_directory_that_cannot_be_made_is_named() {
    let place = Place::new();
    let output = place.write("output", "a file");
    let file = place.write("work/x", "x");
    let error = place.upload("a:b", &[&file]).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("cannot make {}: ", output.display())),
        "{error}"
    );
    place.write("x.deb", "x");
    let gone = place.path("gone");
    let error = place
        .server()
        .fetch(&Lookup::Text("./x.deb".into()), &gone)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with(&format!("cannot write {}", gone.display())),
        "{error}"
    );
}

#[test]
fn relations_are_kept_with_the_artifact_that_relates() {
    let place = Place::new();
    place.write("x.deb", "x");
    let (input, _) = place.resolve("./x.deb").unwrap();
    let file = place.write("work/lintian.txt", "x");
    let output = place.upload("debian:lintian", &[&file]).unwrap();
    assert_eq!((input, output), (1, 2));
    let relation = Relation {
        artifact: output,
        target: input,
        kind: RelationKind::RelatesTo,
    };
    place.server().relate(relation).unwrap();
    let [stored] = place.server.artifacts().try_into().unwrap();
    assert_eq!((stored.id, stored.relations), (2, vec![relation]));
    for wrong in [
        Relation {
            target: 9,
            ..relation
        },
        Relation {
            artifact: 0,
            ..relation
        },
    ] {
        assert!(
            place
                .server()
                .relate(wrong)
                .unwrap_err()
                .to_string()
                .contains("there is no artifact")
        );
    }
}

#[test]
fn uploads_from_many_threads_never_share_a_name() {
    let place = Arc::new(Place::new());
    let threads: Vec<_> = (0..16)
        .map(|number| {
            let place = Arc::clone(&place);
            thread::spawn(move || {
                let directory = place.path(format!("work/{number}"));
                fs::create_dir(&directory).unwrap();
                let file = directory.join("x");
                fs::write(&file, number.to_string()).unwrap();
                place.upload("a:b", &[&file]).unwrap()
            })
        })
        .collect();
    let mut ids: Vec<_> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=16).collect::<Vec<_>>());
    let mut contents: Vec<u32> = place
        .outputs()
        .iter()
        .map(|files| fs::read_to_string(&files[0]).unwrap().parse().unwrap())
        .collect();
    contents.sort_unstable();
    assert_eq!(contents, (0..16).collect::<Vec<_>>());
}

#[test]
fn folders_below_an_artifacts_root_are_kept() {
    let place = Place::new();
    fs::create_dir_all(place.path("work/taken/tiny/boot")).unwrap();
    fs::create_dir_all(place.path("work/taken/tiny/efi")).unwrap();
    let files = ["work/taken/tiny/boot/x", "work/taken/tiny/efi/x"];
    let files = files.map(|file| place.write(file, file)).to_vec();
    let artifact = Artifact::new("debusine:signing-input", json!({}), files);
    let root = place.path("work/taken");
    let id = place
        .server()
        .upload(artifact.clone().with_root(&root))
        .unwrap();
    let names = ["output/tiny/boot/x", "output/tiny/efi/x"];
    assert_eq!(place.outputs(), [names.map(|name| place.path(name))]);
    // Whoever fetches it has them too.
    let into = place.path("work/in");
    fs::create_dir(&into).unwrap();
    let (_, fetched) = place.server().fetch(&Lookup::Id(id), &into).unwrap();
    let found = fetched.files.iter().map(|file| fetched.name(file).unwrap());
    assert_eq!(
        found.collect::<Vec<_>>(),
        [Path::new("tiny/boot/x"), Path::new("tiny/efi/x")]
    );
    // The next one of that name gets a directory of its own, and one that lies elsewhere is refused.
    place
        .server()
        .upload(artifact.clone().with_root(&root))
        .unwrap();
    let second = place.path("output/signing-input-2/tiny/boot/x");
    assert_eq!(place.outputs()[1][0], second);
    let refused = place.server().upload(artifact.with_root(&into));
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("below its root"), "{message}");
}
