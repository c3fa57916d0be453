use crate::bay::{Bay, success};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};
use taskbay_core::{ArtifactId, Relation, RelationKind};
use taskbay_engine::{
    ArtifactFilter, EngineError, NewArtifact, NewFile, RequestId, StoredArtifact, write_file,
};

const MEBIBYTE: usize = 1 << 20;

/// Content in which no piece is like another.
fn content(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn files<'a>(contents: &'a [(&str, &'a [u8])]) -> NewArtifact<'a> {
    let file = |(name, content): &(&str, &'a [u8])| NewFile {
        name: (*name).to_owned(),
        content: Box::new(*content),
    };
    NewArtifact {
        category: "debian:source-package".to_owned(),
        data: json!({"name": "hello"}),
        files: contents.iter().map(file).collect(),
        made_by: None,
    }
}

fn fetched(bay: &Bay, id: ArtifactId, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let size = bay.engine.fetch_file(id, name, &mut bytes).unwrap();
    assert_eq!(size, bytes.len() as u64);
    bytes
}

pub(crate) fn five_mebibytes_come_back(bay: &Bay) {
    let large = content(5 * MEBIBYTE + 1);
    let id = bay
        .engine
        .create_artifact(files(&[
            ("sub/large", &large),
            ("empty", b""),
            ("small", b"abc"),
        ]))
        .unwrap();
    let stored = bay.engine.artifact(id).unwrap();
    assert_eq!(
        (stored.category.as_str(), &stored.data),
        ("debian:source-package", &json!({"name": "hello"}))
    );
    let names: Vec<_> = stored.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["empty", "small", "sub/large"]);
    assert_eq!(stored.files[2].size, large.len() as u64);
    assert_eq!(
        stored.files[1].sha256,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert!(fetched(bay, id, "sub/large") == large);
    assert_eq!(fetched(bay, id, "empty"), b"");
    assert_eq!(fetched(bay, id, "small"), b"abc");
    let unknown = bay.engine.fetch_file(id, "none", &mut io::sink());
    assert!(matches!(unknown, Err(EngineError::NotFound { .. })));
    assert!(matches!(
        bay.engine.artifact(u64::MAX),
        Err(EngineError::NotFound { .. })
    ));
    // What is damaged is not given out as good.
    bay.execute("update files set sha256 = 'other' where name = 'small'");
    let damaged = bay.engine.fetch_file(id, "small", &mut io::sink());
    assert!(matches!(damaged, Err(EngineError::Corrupt { .. })));
}

fn write(
    bay: &Bay,
    stored: &StoredArtifact,
    directory: &Path,
) -> Result<Vec<PathBuf>, EngineError> {
    let files = stored.files.iter();
    files
        .map(|file| write_file(&*bay.engine, stored.id, file, directory))
        .collect()
}

/// What is written into a folder is whole or not there, and nothing is overwritten.
pub(crate) fn files_are_written_whole(bay: &Bay) {
    let large = content(2 * MEBIBYTE);
    let id = bay
        .engine
        .create_artifact(files(&[("sub/a", b"first"), ("sub/b", &large)]))
        .unwrap();
    let stored = bay.engine.artifact(id).unwrap();
    let top = tempfile::tempdir().unwrap();
    let whole = top.path().join("whole");
    let written = write(bay, &stored, &whole).unwrap();
    assert_eq!(written, [whole.join("sub/a"), whole.join("sub/b")]);
    assert!(fs::read(&written[1]).unwrap() == large);
    fs::write(&written[0], "mine").unwrap();
    let again = write(bay, &stored, &whole);
    assert!(matches!(again, Err(EngineError::Content { .. })));
    assert_eq!(fs::read_to_string(&written[0]).unwrap(), "mine");
    bay.execute("delete from file_chunks where place = 1");
    let half = top.path().join("half");
    let damaged = write(bay, &stored, &half);
    assert!(matches!(damaged, Err(EngineError::Corrupt { .. })));
    let left: Vec<_> = fs::read_dir(half.join("sub"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["a"]);
}

pub(crate) fn contents_are_kept_once(bay: &Bay) {
    let large = content(3 * MEBIBYTE);
    let first = bay
        .engine
        .create_artifact(files(&[("a", &large), ("b", &large)]))
        .unwrap();
    assert_eq!(bay.number("select count(*) from chunks"), 3);
    let second = bay
        .engine
        .create_artifact(files(&[("c", &large), ("d", &large[..MEBIBYTE])]))
        .unwrap();
    assert_eq!(bay.number("select count(*) from chunks"), 3);
    bay.engine.remove_artifact(first).unwrap();
    assert!(matches!(
        bay.engine.remove_artifact(first),
        Err(EngineError::NotFound { .. })
    ));
    assert!(fetched(bay, second, "c") == large);
}

pub(crate) fn artifacts_relate(bay: &Bay) {
    let request: RequestId = bay.fitting("w", 0);
    let lease = bay.claim("w").unwrap().lease;
    let target = bay.engine.create_artifact(files(&[])).unwrap();
    let made = NewArtifact {
        category: "debian:lintian".to_owned(),
        made_by: Some(lease),
        ..files(&[("lintian.txt", b"fine")])
    };
    let artifact = bay.engine.create_artifact(made).unwrap();
    let relation = Relation {
        artifact,
        target,
        kind: RelationKind::RelatesTo,
    };
    bay.engine.relate(relation, Some(&lease)).unwrap();
    let missing = Relation {
        target: 99,
        ..relation
    };
    assert!(matches!(
        bay.engine.relate(missing, Some(&lease)),
        Err(EngineError::NotFound { .. })
    ));
    bay.engine.relate(relation, None).unwrap();
    assert_eq!(bay.engine.artifact(artifact).unwrap().relations, [relation]);
    assert_eq!(bay.engine.artifact(target).unwrap().relations, [relation]);
    let stored = bay.engine.artifact(artifact).unwrap();
    assert_eq!((stored.request, stored.attempt), (Some(request), Some(1)));
    bay.engine.complete(&lease, &success()).unwrap();
    let ids = |filter: ArtifactFilter| {
        let found = bay.engine.artifacts(&filter).unwrap();
        found.iter().map(|artifact| artifact.id).collect::<Vec<_>>()
    };
    let all = ArtifactFilter::default;
    assert_eq!(ids(all()), [artifact, target]);
    assert_eq!(
        ids(ArtifactFilter {
            before: Some(artifact),
            ..all()
        }),
        [target]
    );
    assert_eq!(
        ids(ArtifactFilter {
            request: Some(request),
            ..all()
        }),
        [artifact]
    );
    assert_eq!(
        ids(ArtifactFilter {
            category: Some("debian:lintian".to_owned()),
            ..all()
        }),
        [artifact]
    );
}

/// What attempts made that came to nothing is told apart from the result.
pub(crate) fn a_result_is_one_attempts(bay: &Bay) {
    let request = bay.fitting("w", 0);
    let made_by = |lease| {
        let made = NewArtifact {
            made_by: Some(lease),
            ..files(&[("out", b"x")])
        };
        bay.engine.create_artifact(made).unwrap()
    };
    let results = || {
        let filter = ArtifactFilter {
            request: Some(request),
            ..ArtifactFilter::default()
        };
        let found = bay.engine.artifacts(&filter).unwrap();
        found.iter().map(|each| each.id).collect::<Vec<_>>()
    };
    let imported = bay.engine.create_artifact(files(&[])).unwrap();
    let newest = || {
        let found = bay
            .engine
            .find_artifact("debian:source-package", &BTreeMap::new())
            .unwrap();
        found.map(|artifact| artifact.id)
    };
    let released = bay.claim("w").unwrap().lease;
    made_by(released);
    assert!(results().is_empty(), "it runs");
    assert_eq!(newest(), Some(imported), "it runs");
    bay.engine
        .release(&released, "draining", Duration::ZERO)
        .unwrap();
    assert!(bay.engine.sign(request, "fits").unwrap().is_some());
    assert!(results().is_empty());
    assert_eq!(newest(), Some(imported));
    let lost = bay.engine.claim("w", Duration::from_secs(2)).unwrap();
    let lost = lost.unwrap().lease;
    made_by(lost);
    bay.execute("update attempts set lease_until = 0 where ended_at is null");
    bay.expire();
    assert!(bay.engine.sign(request, "fits").unwrap().is_some());
    assert!(results().is_empty());
    assert_eq!(newest(), Some(imported));
    let lease = bay.claim("w").unwrap().lease;
    let [first, second] = [(); 2].map(|()| made_by(lease));
    bay.engine.complete(&lease, &success()).unwrap();
    assert_eq!(results(), [second, first]);
    assert_eq!(newest(), Some(second));
    let attempts: Vec<_> = bay
        .engine
        .artifacts(&ArtifactFilter::default())
        .unwrap()
        .iter()
        .map(|each| each.attempt)
        .collect();
    assert_eq!(attempts, [Some(3), Some(3), Some(2), Some(1), None]);
    bay.engine.retry(request).unwrap();
    assert!(results().is_empty());
}

pub(crate) fn the_newest_that_fits_is_found(bay: &Bay) {
    let store = |category: &str, data: Value| {
        let artifact = NewArtifact {
            category: category.to_owned(),
            data,
            ..files(&[])
        };
        bay.engine.create_artifact(artifact).unwrap()
    };
    let tarball = "debian:system-tarball";
    let older = store(tarball, json!({"codename": "sid", "variant": "buildd"}));
    let newer = store(
        tarball,
        json!({"codename": "sid", "variant": null, "pkglist": {}}),
    );
    let bookworm = json!({"codename": "bookworm", "variant": "buildd", "with_dev": true});
    store(tarball, bookworm);
    store("debian:system-image", json!({"codename": "sid"}));
    store(tarball, json!(["codename", "sid"]));
    let find = |wanted: &[(&str, &str)]| {
        let wanted = wanted
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let found = bay
            .engine
            .find_artifact(tarball, &wanted.collect())
            .unwrap();
        found.map(|artifact| artifact.id)
    };
    assert_eq!(find(&[("codename", "sid")]), Some(newer));
    assert_eq!(
        find(&[("codename", "sid"), ("variant", "buildd")]),
        Some(older)
    );
    assert_eq!(find(&[("codename", "sid"), ("variant", "minbase")]), None);
    assert_eq!(find(&[("variant", "null")]), None);
    assert_eq!(find(&[("with_dev", "true")]), None);
    assert_eq!(find(&[("co'de\"name", "sid")]), None);
}

pub(crate) fn odd_names_are_refused(bay: &Bay) {
    for name in ["", "/etc/passwd", "../up", "a/../b", ".", "a\nb"] {
        let error = bay
            .engine
            .create_artifact(files(&[(name, b"x")]))
            .unwrap_err();
        assert!(
            matches!(error, EngineError::Invalid { .. }),
            "{name:?}: {error:?}"
        );
    }
    let twice = bay
        .engine
        .create_artifact(files(&[("a", b"x"), ("a", b"y")]));
    assert!(matches!(twice, Err(EngineError::Invalid { .. })));
    bay.engine
        .create_artifact(files(&[("with space_ü", b"x")]))
        .unwrap();
}

pub(crate) fn a_lost_lease_makes_nothing(bay: &Bay) {
    bay.fitting("w", 0);
    let lease = bay.claim_and_lose("w").lease;
    let made = NewArtifact {
        made_by: Some(lease),
        ..files(&[("a", b"x")])
    };
    assert!(matches!(
        bay.engine.create_artifact(made),
        Err(EngineError::Stale { .. })
    ));
    assert_eq!(bay.number("select count(*) from artifacts"), 0);
}

/// A file that cannot be read to its end.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("gone"))?;
        buffer.fill(7);
        Ok(buffer.len())
    }
}

pub(crate) fn a_failing_reader_leaves_nothing(bay: &Bay) {
    let mut artifact = files(&[]);
    artifact.files.push(NewFile {
        name: "a".to_owned(),
        content: Box::new(Broken(300)),
    });
    let error = bay.engine.create_artifact(artifact).unwrap_err();
    assert!(matches!(error, EngineError::Content { .. }), "{error:?}");
    assert_eq!(bay.number("select count(*) from artifacts"), 0);
}
