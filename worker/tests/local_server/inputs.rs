//! Which artifact a lookup names, and what belongs to it.

use super::*;

#[test]
fn a_source_package_is_its_dsc_and_the_files_that_it_names() {
    let place = Place::new();
    place.source_package();
    let (id, artifact) = place.resolve("./hello_1.0-1.dsc").unwrap();
    assert_eq!(
        (id, artifact.category.as_str()),
        (1, "debian:source-package")
    );
    assert_eq!(artifact.data["name"], "hello");
    assert_eq!(artifact.data["version"], "1.0-1");
    assert_eq!(artifact.data["type"], "dpkg");
    assert_eq!(artifact.data["dsc_fields"]["Format"], "3.0 (quilt)");
    let names = [
        "hello_1.0-1.dsc",
        "hello_1.0.orig.tar.gz",
        "hello_1.0-1.debian.tar.xz",
    ];
    assert_eq!(artifact.files, names.map(|name| place.path(name)));

    let work = place.path("work");
    let (same, fetched) = place.server().fetch(&Lookup::Id(id), &work).unwrap();
    assert_eq!((same, &fetched.data), (id, &artifact.data));
    assert_eq!(fetched.files, names.map(|name| work.join(name)));
    place.run("dpkg-source", &["-x", "work/hello_1.0-1.dsc", "work/tree"]);

    // The same file by other names has the same number.
    let absolute = place.path("hello_1.0-1.dsc");
    let absolute = absolute.to_str().unwrap();
    for text in [
        absolute,
        &format!("file://{absolute}"),
        "file:hello_1.0-1.dsc",
        "././hello_1.0-1.dsc",
    ] {
        assert_eq!(place.resolve(text).unwrap().0, id, "{text}");
    }
}

#[test]
fn a_missing_or_truncated_member_is_named_with_who_names_it() {
    let place = Place::new();
    place.source_package();
    let orig = place.path("hello_1.0.orig.tar.gz");
    let size = fs::metadata(&orig).unwrap().len();
    fs::File::options()
        .write(true)
        .open(&orig)
        .unwrap()
        .set_len(size - 1)
        .unwrap();
    let dsc = place.path("hello_1.0-1.dsc");
    assert_eq!(
        place.refused("./hello_1.0-1.dsc"),
        format!(
            "{} has {} bytes, and {} says {size}; it was cut short or replaced: fetch it anew",
            orig.display(),
            size - 1,
            dsc.display()
        )
    );
    fs::remove_file(&orig).unwrap();
    assert_eq!(
        place.refused("./hello_1.0-1.dsc"),
        format!(
            "{} is missing, and {} names it; put it there",
            orig.display(),
            dsc.display()
        )
    );
    fifo(&orig);
    assert!(
        place
            .refused("./hello_1.0-1.dsc")
            .contains("is a device, FIFO or socket")
    );
    // A link to the tarball elsewhere is how many people keep them.
    fs::remove_file(&orig).unwrap();
    symlink("gone", &orig).unwrap();
    assert!(place.refused("./hello_1.0-1.dsc").contains("is missing"));
}

#[test]
fn an_upload_is_its_changes_and_the_files_that_it_names() {
    let place = Place::new();
    place.write("x_1_all.deb", "12345");
    place.write(
        "x_1_all.changes",
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nFormat: 1.8\nSource: x\nArchitecture: all\n\
         Checksums-Sha256:\n \
         5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5 5 x_1_all.deb\nFiles:\n bb 5 misc optional x_1_all.deb\n\
         -----BEGIN PGP SIGNATURE-----\n\nxx\n-----END PGP SIGNATURE-----\n",
    );
    let (_, artifact) = place.resolve("./x_1_all.changes").unwrap();
    assert_eq!(artifact.category, "debian:upload");
    assert_eq!(artifact.data["type"], "dpkg");
    assert_eq!(
        artifact.data["changes_fields"]["Files"][0]["section"],
        "misc"
    );
    assert_eq!(
        artifact.files,
        ["x_1_all.changes", "x_1_all.deb"].map(|name| place.path(name))
    );
    place.write("x_1_all.deb", "54321");
    let replaced = place.refused("./x_1_all.changes");
    assert!(
        replaced.contains("x_1_all.deb has the SHA-256 "),
        "{replaced}"
    );
    assert!(replaced.contains("it was replaced"), "{replaced}");
    place.write(
        "bad.changes",
        "Files:\n bb 5 misc optional ../x_1_all.deb\n",
    );
    assert!(place.refused("./bad.changes").contains("`../x_1_all.deb`"));
    place.write("bad.dsc", "Files:\n bb 5 x_1_all.deb\nVersion: 1\n");
    assert!(
        place
            .refused("./bad.dsc")
            .contains("it has no field `Source`")
    );
}

#[test]
fn single_files_are_artifacts_by_their_extension() {
    let place = Place::new();
    for (name, category) in [
        ("x.deb", "debian:binary-package"),
        ("x.udeb", "debian:binary-package"),
        ("x.build", "debian:package-build-log"),
        ("x.txt", "file"),
        ("x", "file"),
    ] {
        let path = place.write(name, "x");
        let (_, artifact) = place.resolve(&format!("./{name}")).unwrap();
        assert_eq!(
            (&*artifact.category, artifact.files),
            (category, vec![path])
        );
    }
    fs::create_dir(place.path("d")).unwrap();
    for text in ["file:", "/", "./d"] {
        assert!(place.refused(text).contains("is a directory"), "{text}");
    }
    fs::create_dir(place.path("d.deb")).unwrap();
    assert!(place.refused("./d.deb").contains("is a directory"));
    fifo(&place.path("f.dsc"));
    assert!(
        place
            .refused("./f.dsc")
            .contains("is a device, FIFO or socket")
    );
    assert!(place.refused("./gone.deb").starts_with("cannot read"));
    assert!(place.refused("./a\0b.deb").starts_with("cannot read"));
}

#[test]
fn other_lookups_are_refused_with_what_is_understood() {
    let place = Place::new();
    place.write("x.deb", "x");
    assert!(
        place
            .refused("debian/match:codename=sid")
            .contains("since a local run has no store")
    );
    assert!(place.refused("x.deb").ends_with(": write `./x.deb`"));
    let error = place
        .server()
        .resolve(&Lookup::Id(7))
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("there is no artifact 7 in this run: a local run has no store"));
}

#[test]
fn names_that_are_no_text_pass() {
    let place = Place::new();
    let name = OsStr::from_bytes(b"\xff\xfe.deb");
    let file = place.write(Path::new("work").join(name), "x");
    let id = place.upload("debian:binary-package", &[&file]).unwrap();
    assert_eq!(place.outputs(), [[place.path("output").join(name)]]);
    fs::create_dir(place.path("work/in")).unwrap();
    let (_, fetched) = place
        .server()
        .fetch(&Lookup::Id(id), &place.path("work/in"))
        .unwrap();
    assert_eq!(fetched.files, [place.path("work/in").join(name)]);
}
