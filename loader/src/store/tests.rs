use super::*;
use rustix::fs::stat;
use std::thread;

fn identity(path: &Path) -> FileIdentity {
    FileIdentity::of(&stat(path).unwrap())
}

/// A directory that only this user can enter, whatever its mask says.
fn private() -> tempfile::TempDir {
    tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .unwrap()
}

#[test]
fn a_copy_outlives_what_happens_to_the_file() {
    let top = private();
    let store = Store::in_directory(top.path().join("deep/copies"));
    let file = top.path().join("a.so");
    fs::write(&file, "first").unwrap();
    let first = identity(&file);
    let copy = store.keep(&file, first).unwrap();
    fs::write(&file, "second!").unwrap();
    let second = identity(&file);
    assert!(matches!(
        Store::in_directory(top.path().join("other")).keep(&file, first),
        Err(StoreError::Changed)
    ));
    assert_eq!(store.keep(&file, first).unwrap(), copy);
    let newer = store.keep(&file, second).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), b"first");
    assert_eq!(fs::read(&newer).unwrap(), b"second!");
    fs::remove_file(&file).unwrap();
    assert_eq!(store.keep(&file, second).unwrap(), newer);
    assert!(first.is_same_file(&second));
}

/// The file is written to once its copy is begun. That may come too late on a busy machine, and then it is tried again.
#[test]
fn a_file_that_changes_as_it_is_copied_is_refused() {
    let top = private();
    let file = top.path().join("a.so");
    fs::File::create(&file).unwrap().set_len(64 << 20).unwrap();
    let is_refused = |round: u32| {
        let directory = top.path().join(round.to_string());
        let store = Store::in_directory(&directory);
        let before = identity(&file);
        let kept = thread::scope(|scope| {
            let kept = scope.spawn(|| store.keep(&file, before));
            while fs::read_dir(&directory).map_or(0, Iterator::count) == 0 && !kept.is_finished() {}
            let open = OpenOptions::new().write(true).open(&file).unwrap();
            io::Write::write_all(&mut &open, b"new").unwrap();
            kept.join().unwrap()
        });
        let is_refused = matches!(kept, Err(StoreError::Changed));
        let left = fs::read_dir(&directory).unwrap().count();
        assert_eq!(left == 0, is_refused, "{kept:?}");
        is_refused
    };
    assert!((0..50).any(is_refused));
}

/// Whatever else has come to stand where a copy should be.
#[test]
fn what_is_no_whole_private_copy_is_made_again() {
    let top = private();
    let store = Store::in_directory(top.path().join("copies"));
    let file = top.path().join("a.so");
    fs::write(&file, "whole").unwrap();
    let state = identity(&file);
    let other = top.path().join("other");
    fs::write(&other, "wrong").unwrap();
    let copy = store.keep(&file, state).unwrap();
    let spoilers: [&dyn Fn(); 4] = [
        &|| fs::write(&copy, "who").unwrap(),
        &|| std::os::unix::fs::symlink(&other, &copy).unwrap(),
        &|| {
            fs::write(&copy, "wrong").unwrap();
            fs::set_permissions(&copy, Permissions::from_mode(0o620)).unwrap();
        },
        &|| fs::create_dir(&copy).unwrap(),
    ];
    for (number, spoil) in spoilers.iter().enumerate() {
        fs::remove_file(&copy).unwrap();
        spoil();
        let is_directory = copy.is_dir();
        let kept = store.keep(&file, state);
        if is_directory {
            assert!(matches!(kept, Err(StoreError::Copy { .. })), "{kept:?}");
        } else {
            assert_eq!(fs::read(kept.unwrap()).unwrap(), b"whole", "{number}");
        }
    }
}

#[test]
fn copies_that_nobody_loads_go() {
    let top = private();
    let store = Store::in_directory(top.path().join("copies"));
    let file = top.path().join("a.so");
    fs::write(&file, "old").unwrap();
    let old = store.keep(&file, identity(&file)).unwrap();
    fs::write(&file, "older").unwrap();
    let recent = store.keep(&file, identity(&file)).unwrap();
    let long_ago = std::time::SystemTime::now() - UNUSED * 2;
    let times = fs::FileTimes::new()
        .set_accessed(long_ago)
        .set_modified(long_ago);
    fs::File::open(&old).unwrap().set_times(times).unwrap();
    fs::write(&file, "new").unwrap();
    let new = store.keep(&file, identity(&file)).unwrap();
    assert_eq!(
        [old, recent, new].map(|copy| copy.exists()),
        [false, true, true]
    );
}

#[test]
fn a_mark_is_of_one_copy_alone() {
    let top = private();
    let store = Store::in_directory(top.path().join("copies"));
    let file = top.path().join("a.so");
    fs::write(&file, "x").unwrap();
    let found = |mark| store.find_marked(identity(&file), mark).unwrap();
    let copy = store.keep(&file, identity(&file)).unwrap();
    assert_eq!(found(7), None);
    store.mark(&copy, identity(&file), 7);
    assert_eq!(found(8), None);
    assert_eq!(fs::read(found(7).unwrap()).unwrap(), b"x");
    fs::write(&file, "other").unwrap();
    assert_eq!(found(7), None);
}

#[test]
fn a_directory_that_others_may_enter_is_refused() {
    let top = private();
    let file = top.path().join("a.so");
    fs::write(&file, "x").unwrap();
    let directory = top.path().join("copies");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
    let error = Store::in_directory(&directory)
        .keep(&file, identity(&file))
        .unwrap_err();
    assert!(
        error.to_string().ends_with("others may enter it"),
        "{error}"
    );
    assert!(error.help().contains("TASKBAY_CACHE_DIR"));
}
