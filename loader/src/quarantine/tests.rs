use super::*;
use rustix::fs::{CWD, Mode};
use std::{
    fs::Permissions,
    os::unix::fs::{PermissionsExt, symlink},
    thread,
};

fn evidence(file: &Path) -> Evidence {
    Evidence {
        name: "noop".to_owned(),
        file: file.to_owned(),
        identity: FileIdentity::of(&stat(file).unwrap()),
        sha256: None,
        phase: Phase::Load,
        reason: "its process was killed by SIGSEGV".to_owned(),
        signal: Some("SIGSEGV".to_owned()),
        status: None,
        stderr: vec!["last words".to_owned()],
        time: "2026-01-01T00:00:00Z".to_owned(),
        missing: None,
    }
}

#[test]
fn is_known_until_the_file_changes() {
    let top = tempfile::tempdir().unwrap();
    let quarantine = Quarantine::in_directory(top.path().join("deep/quarantine"));
    assert_eq!(quarantine.all().unwrap(), []);
    let file = top.path().join("a.so");
    fs::write(&file, "bad").unwrap();
    let evidence = evidence(&file);
    quarantine.add(&evidence).unwrap();
    assert_eq!(quarantine.get(evidence.identity), Some(evidence.clone()));
    assert_eq!(quarantine.all().unwrap(), std::slice::from_ref(&evidence));
    fs::write(&file, "mended").unwrap();
    assert_eq!(quarantine.get(evidence.identity), None);
    assert_eq!(quarantine.all().unwrap(), []);
    assert_eq!(
        fs::read_dir(quarantine.directory.path()).unwrap().count(),
        0
    );
}

#[test]
fn is_over_when_the_missing_library_comes() {
    let top = tempfile::tempdir().unwrap();
    let quarantine = Quarantine::in_directory(top.path().join("quarantine"));
    let file = top.path().join("a.so");
    fs::write(&file, "bad").unwrap();
    let library = top.path().join("libgone.so.1");
    let mut evidence = evidence(&file);
    evidence.missing = Some(library.display().to_string());
    quarantine.add(&evidence).unwrap();
    assert!(quarantine.get(evidence.identity).is_some());
    fs::write(library, "here").unwrap();
    assert_eq!(quarantine.get(evidence.identity), None);
}

#[test]
fn is_cleared_by_name_in_any_case_or_by_file() {
    let top = tempfile::tempdir().unwrap();
    let quarantine = Quarantine::in_directory(top.path().join("quarantine"));
    let file = top.path().join("a.so");
    fs::write(&file, "bad").unwrap();
    for name in ["NoOp", file.to_str().unwrap()] {
        quarantine.add(&evidence(&file)).unwrap();
        assert_eq!(quarantine.clear("other").unwrap(), 0);
        assert_eq!(quarantine.clear(name).unwrap(), 1);
        assert_eq!(quarantine.all().unwrap(), []);
    }
}

/// What is no record, or only half of one, is none; nothing else is lost by it.
#[test]
fn files_that_are_no_records_are_ignored() {
    let top = tempfile::tempdir().unwrap();
    let quarantine = Quarantine::in_directory(top.path().join("quarantine"));
    let file = top.path().join("a.so");
    fs::write(&file, "bad").unwrap();
    let evidence = evidence(&file);
    quarantine.add(&evidence).unwrap();
    let junk =
        |name: &str, text: &str| fs::write(quarantine.directory.path().join(name), text).unwrap();
    junk("half.json", "{\"name\": \"no");
    junk("new-abc", "half");
    junk("huge.json", &" ".repeat(2 << 20));
    rustix::fs::mkfifoat(
        CWD,
        quarantine.directory.path().join("fifo.json"),
        Mode::RUSR,
    )
    .unwrap();
    assert_eq!(quarantine.all().unwrap(), [evidence]);
}

/// Whoever may write there could set any plugin aside, or have this user write anywhere.
#[test]
fn a_directory_that_others_may_write_to_is_not_believed() {
    let top = tempfile::tempdir().unwrap();
    let directory = top.path().join("quarantine");
    let file = top.path().join("a.so");
    fs::write(&file, "bad").unwrap();
    let evidence = evidence(&file);
    let quarantine = || Quarantine::in_directory(&directory);
    quarantine().add(&evidence).unwrap();
    let open = top.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
    symlink(top.path(), open.join("link")).unwrap();
    let by_link = Quarantine::in_directory(open.join("link/quarantine"));
    assert_eq!(by_link.get(evidence.identity), None);
    assert!(by_link.all().is_err());
    let spoilers: [&dyn Fn(); 2] = [
        &|| fs::set_permissions(&directory, Permissions::from_mode(0o770)).unwrap(),
        &|| {
            fs::rename(&directory, top.path().join("elsewhere")).unwrap();
            symlink(top.path().join("elsewhere"), &directory).unwrap();
        },
    ];
    for spoil in spoilers {
        assert!(quarantine().get(evidence.identity).is_some());
        spoil();
        assert_eq!(quarantine().get(evidence.identity), None);
        let told = quarantine().all().unwrap_err().to_string();
        assert!(
            told.contains("cannot be used: ") && told.contains("TASKBAY_CACHE_DIR"),
            "{told}"
        );
        assert!(quarantine().add(&evidence).is_err());
        fs::set_permissions(&directory, Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
fn many_may_write_at_once() {
    let top = tempfile::tempdir().unwrap();
    let quarantine = Quarantine::in_directory(top.path().join("quarantine"));
    let files: Vec<PathBuf> = (0..4)
        .map(|number| top.path().join(number.to_string()))
        .collect();
    for file in &files {
        fs::write(file, "bad").unwrap();
    }
    thread::scope(|scope| {
        for round in 0..8 {
            let (quarantine, files) = (&quarantine, &files);
            scope.spawn(move || {
                for file in files {
                    let mut evidence = evidence(file);
                    evidence.status = Some(round);
                    quarantine.add(&evidence).unwrap();
                    assert!(quarantine.get(evidence.identity).is_some());
                    assert_eq!(quarantine.all().unwrap().len().min(1), 1);
                }
            });
        }
    });
    assert_eq!(quarantine.all().unwrap().len(), 4);
}
