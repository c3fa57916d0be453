use super::*;
use crate::stand_in::{Asked, Says, StandIn};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;

fn info(server: &StandIn, files: &[(&str, &str)], has_tarball: bool) -> ArtifactInfo {
    let described = files.iter().map(|(name, content)| {
        let mut hash = Hashed::new(io::sink());
        hash.write_all(content.as_bytes()).unwrap();
        let url = format!("{}/f/{name}", server.client.url().of("").trim_end_matches("/api"));
        let file = json!({"size": content.len(), "checksums": {"sha256": hash.sha256()}, "type": "file", "url": url});
        ((*name).to_owned(), file)
    });
    let files: serde_json::Map<_, _> = described.collect();
    let tarball = has_tarball.then_some("/t.tar.gz");
    let info = json!({"id": 5, "category": "c", "data": {}, "files": files, "download_tar_gz_url": tarball});
    let info: ArtifactInfo = serde_json::from_value(info).unwrap();
    info.checked().unwrap()
}

fn tarball(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        // As no honest program writes it.
        let field = &mut header.as_old_mut().name;
        field[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_that_is_cut_is_fetched_from_there() {
    let content = "0123456789";
    let server = StandIn::new(move |asked: &Asked| match asked.range.as_deref() {
        None => Says::status(200).body(content).cut_at(4),
        Some("bytes=4-") => Says::status(206).body(&content[4..]),
        Some(other) => panic!("{other}"),
    });
    let (top, login) = (tempfile::tempdir().unwrap(), StandIn::login());
    let info = info(&server, &[("a/b", content)], false);
    let mut download = Download::new(&server.client, &login, top.path());
    let cut = download.go_on(&info).unwrap_err();
    assert!(cut.is_passing(), "{cut}");
    assert!(!top.path().join("a/b").exists());
    download.go_on(&info).unwrap();
    assert_eq!(fs::read_to_string(top.path().join("a/b")).unwrap(), content);
    assert_eq!(names(&top.path().join("a")), ["b"]);
}

#[test]
fn a_file_whose_server_does_not_go_on_is_fetched_anew() {
    let content = "0123456789";
    let mut count = 0;
    let server = StandIn::new(move |_: &Asked| {
        count += 1;
        let all = Says::status(200).body(content);
        if count == 1 { all.cut_at(4) } else { all }
    });
    let (top, login) = (tempfile::tempdir().unwrap(), StandIn::login());
    let info = info(&server, &[("f", content)], false);
    let mut download = Download::new(&server.client, &login, top.path());
    download.go_on(&info).unwrap_err();
    download.go_on(&info).unwrap();
    assert_eq!(fs::read_to_string(top.path().join("f")).unwrap(), content);
}

#[test]
fn a_damaged_file_is_refused() {
    for answer in ["012345678x", "0123456789and more"] {
        let server = StandIn::new(move |_: &Asked| Says::status(200).body(answer));
        let (top, login) = (tempfile::tempdir().unwrap(), StandIn::login());
        let info = info(&server, &[("f", "0123456789")], false);
        let fault = Download::new(&server.client, &login, top.path())
            .go_on(&info)
            .unwrap_err();
        assert!(matches!(fault, Fault::Malformed { .. }), "{fault}");
        assert!(names(top.path()).is_empty());
    }
}

#[test]
fn a_tarball_brings_all_files() {
    let files = [("a", "first"), ("b/c", "second")];
    let packed = tarball(&files);
    let server = StandIn::new(move |_: &Asked| Says::status(200).body(packed.clone()));
    let (top, login) = (tempfile::tempdir().unwrap(), StandIn::login());
    let info = info(&server, &files, true);
    Download::new(&server.client, &login, top.path())
        .go_on(&info)
        .unwrap();
    assert_eq!(
        fs::read_to_string(top.path().join("b/c")).unwrap(),
        "second"
    );
    assert_eq!(names(top.path()), ["a", "b"]);
    assert_eq!(server.lines(), ["GET /t.tar.gz -"]);
}

/// What was cut is fetched file by file, without what is there.
#[test]
fn a_tarball_that_is_cut_is_no_loss() {
    let long = "second".repeat(10_000);
    let files = [("a", "first"), ("b", &*long)];
    let packed = tarball(&files);
    let content = long.clone();
    let server = StandIn::new(move |asked: &Asked| {
        if asked.line.ends_with("/t.tar.gz") {
            let half = packed.len() - 20;
            return Says::status(200).body(packed.clone()).cut_at(half);
        }
        assert_eq!(asked.line, "GET /f/b");
        Says::status(200).body(content.clone())
    });
    let (top, login) = (tempfile::tempdir().unwrap(), StandIn::login());
    let info = info(&server, &files, true);
    let mut download = Download::new(&server.client, &login, top.path());
    let cut = download.go_on(&info).unwrap_err();
    assert!(cut.is_passing(), "{cut}");
    download.go_on(&info).unwrap();
    assert_eq!(names(top.path()), ["a", "b"]);
}

#[test]
fn a_tarball_with_other_files_is_refused() {
    let files = [("a", "first"), ("b", "second")];
    for wrong in [
        ("../x", "oh"),
        ("/etc/x", "oh"),
        ("c", "oh"),
        ("a", "longer than it was"),
    ] {
        let packed = tarball(&[wrong]);
        let server = StandIn::new(move |_: &Asked| Says::status(200).body(packed.clone()));
        let (top, login) = (tempfile::tempdir().unwrap(), StandIn::login());
        let directory = top.path().join("d");
        fs::create_dir(&directory).unwrap();
        let info = info(&server, &files, true);
        let fault = Download::new(&server.client, &login, &directory)
            .go_on(&info)
            .unwrap_err();
        assert!(matches!(fault, Fault::Malformed { .. }), "{fault}");
        assert_eq!(names(top.path()), ["d"]);
        assert!(names(&directory).is_empty());
    }
}

#[test]
fn what_is_there_is_not_replaced() {
    let server = StandIn::new(|_: &Asked| Says::status(200).body("theirs"));
    let (top, login) = (tempfile::tempdir().unwrap(), StandIn::login());
    fs::write(top.path().join("f"), "ours").unwrap();
    let info = info(&server, &[("f", "theirs")], false);
    let fault = Download::new(&server.client, &login, top.path())
        .go_on(&info)
        .unwrap_err();
    assert!(matches!(fault, Fault::Local { .. }), "{fault}");
    assert_eq!(fs::read_to_string(top.path().join("f")).unwrap(), "ours");
}
