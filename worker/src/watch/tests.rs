use super::*;
use notify::event::{DataChange, Flag};
use std::{fs::File, io::Write, os::unix::fs::symlink};
use tempfile::TempDir;

/// Far longer than a change takes to be noticed, so that a busy machine fails nothing.
const LIMIT: Duration = Duration::from_secs(10);

fn top() -> (TempDir, PathBuf) {
    let top = tempfile::tempdir().unwrap();
    let path = top.path().canonicalize().unwrap();
    (top, path)
}

/// A watch of that directory, where nothing has happened yet.
fn watching(directory: &Path) -> Watch {
    let mut watch = Watch::new(vec![directory.to_owned()]).unwrap();
    calm(&mut watch);
    watch
}

/// Waits until nothing happens any more.
fn calm(watch: &mut Watch) {
    while watch.wait(Instant::now() + 2 * QUIET) {
        watch.renew();
    }
}

/// Something happens, and is looked at.
#[track_caller]
fn happens(watch: &mut Watch) {
    assert!(watch.wait(Instant::now() + LIMIT), "nothing was noticed");
    watch.renew();
}

/// What happens in that directory is noticed.
#[track_caller]
fn is_seen(watch: &mut Watch, directory: &Path) {
    calm(watch);
    fs::write(directory.join("seen"), "").unwrap();
    happens(watch);
}

fn rescan() -> Event {
    Event::new(EventKind::Other).set_flag(Flag::Rescan)
}

fn write_to(file: &Path) -> Event {
    let kind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    Event::new(kind).add_path(file.to_owned())
}

/// A file that was written long ago.
fn old_file(path: &Path) {
    let long_ago = SystemTime::now() - Duration::from_hours(1);
    File::create(path).unwrap().set_modified(long_ago).unwrap();
}

#[test]
fn lost_events_hold_no_file_back_for_ever() {
    for lost in [Ok(rescan()), Err(notify::Error::generic("lost"))] {
        let (_top, top) = top();
        let file = top.join("a.so");
        old_file(&file);
        let mut watch = watching(&top);
        watch.take(Ok(write_to(&file)));
        happens(&mut watch);
        assert!(watch.is_being_written(&file));
        watch.take(lost);
        happens(&mut watch);
        assert!(!watch.is_being_written(&file));
    }
}

#[test]
fn lost_events_cost_no_watch() {
    let (_top, top) = top();
    let mut watch = watching(&top);
    watch.watcher.unwatch(&top).unwrap();
    watch.take(Ok(rescan()));
    happens(&mut watch);
    is_seen(&mut watch, &top);
}

/// Who writes to it shows in no event; that it was written to just now does.
#[test]
fn a_young_file_may_be_half_written() {
    let (_top, top) = top();
    let file = top.join("a.so");
    fs::write(&file, "half").unwrap();
    let mut watch = Watch::new(vec![top]).unwrap();
    assert!(watch.is_being_written(&file));
    // It is looked at again, although nothing happens to it any more.
    happens(&mut watch);
    std::thread::sleep(UNSEEN);
    assert!(!watch.is_being_written(&file));
    assert!(!watch.wait(Instant::now() + 2 * QUIET));
}

#[test]
fn how_young_depends_on_what_was_seen() {
    let (_top, top) = top();
    let watch = Watch::new(vec![top]).unwrap();
    let check = |written: SystemTime, age: Duration, is_young: bool| {
        assert_eq!(watch.is_young(written, written + age), is_young, "{age:?}");
    };
    let ms = Duration::from_millis(1);
    for (written, needed) in [(watch.seeing - ms, UNSEEN), (watch.seeing + ms, QUIET)] {
        check(written, needed / 2, true);
        check(written, needed, false);
    }
    // What a wrong clock says holds nothing back.
    assert!(!watch.is_young(watch.seeing + ms, watch.seeing));
}

#[test]
fn any_folder_above_may_be_replaced() {
    let (_top, top) = top();
    let directory = top.join("a/b/c/d");
    for tree in ["a", "other"] {
        fs::create_dir_all(top.join(tree).join("b/c/d")).unwrap();
    }
    let mut watch = watching(&directory);
    fs::rename(top.join("a"), top.join("gone")).unwrap();
    fs::rename(top.join("other"), top.join("a")).unwrap();
    happens(&mut watch);
    is_seen(&mut watch, &directory);
    // What happens in the old tree is of no interest.
    calm(&mut watch);
    fs::write(top.join("gone/b/c/d/file"), "").unwrap();
    assert!(!watch.wait(Instant::now() + 2 * QUIET));
}

#[test]
fn what_was_written_in_a_folder_that_is_gone_is_forgotten() {
    let (_top, top) = top();
    let file = top.join("a/b/c/a.so");
    for tree in ["a", "other"] {
        fs::create_dir_all(top.join(tree).join("b/c")).unwrap();
        old_file(&top.join(tree).join("b/c/a.so"));
    }
    let mut watch = watching(&top.join("a/b/c"));
    watch.take(Ok(write_to(&file)));
    assert!(watch.is_being_written(&file));
    fs::rename(top.join("a"), top.join("gone")).unwrap();
    fs::rename(top.join("other"), top.join("a")).unwrap();
    happens(&mut watch);
    assert!(!watch.is_being_written(&file));
    // Its writer may have closed it while the folder was away.
    calm(&mut watch);
    watch.take(Ok(write_to(&file)));
    fs::rename(top.join("a"), top.join("away")).unwrap();
    fs::rename(top.join("away"), top.join("a")).unwrap();
    happens(&mut watch);
    assert!(!watch.is_being_written(&file));
}

/// The new directory often has the number of the old one.
#[test]
fn a_directory_may_be_made_again() {
    let (_top, top) = top();
    let directory = top.join("a");
    fs::create_dir(&directory).unwrap();
    let mut watch = watching(&directory);
    for _ in 0..2 {
        fs::remove_dir_all(&directory).unwrap();
        fs::create_dir(&directory).unwrap();
        happens(&mut watch);
        is_seen(&mut watch, &directory);
        // Away and back again, as if nothing had been.
        fs::rename(&directory, top.join("away")).unwrap();
        fs::rename(top.join("away"), &directory).unwrap();
        happens(&mut watch);
        is_seen(&mut watch, &directory);
    }
}

#[test]
fn what_links_stand_for_is_watched() {
    let (_top, top) = top();
    for folder in ["a", "b", "c"] {
        fs::create_dir(top.join(folder)).unwrap();
    }
    let link = top.join("a/link.so");
    symlink(top.join("b/second"), &link).unwrap();
    symlink("../c/file", top.join("b/second")).unwrap();
    let mut watch = watching(&top.join("a"));
    let mut open = File::create(top.join("c/file")).unwrap();
    open.write_all(b"half").unwrap();
    happens(&mut watch);
    open.set_modified(SystemTime::now() - LIMIT).unwrap();
    assert!(watch.is_being_written(&link));
    drop(open);
    happens(&mut watch);
    calm(&mut watch);
    assert!(!watch.is_being_written(&link));
    fs::remove_file(top.join("b/second")).unwrap();
    happens(&mut watch);
}

#[test]
fn a_link_to_a_directory_may_lead_elsewhere() {
    let (_top, top) = top();
    for folder in ["old", "new"] {
        fs::create_dir(top.join(folder)).unwrap();
    }
    let link = top.join("link");
    symlink("old", &link).unwrap();
    let mut watch = watching(&link);
    is_seen(&mut watch, &top.join("old"));
    calm(&mut watch);
    symlink("new", top.join("fresh")).unwrap();
    fs::rename(top.join("fresh"), &link).unwrap();
    happens(&mut watch);
    is_seen(&mut watch, &top.join("new"));
}

#[test]
fn a_link_that_leads_back_finds_nobody_writing() {
    let (_top, top) = top();
    for folder in ["a", "b"] {
        fs::create_dir(top.join(folder)).unwrap();
    }
    let (link, file) = (top.join("a/link.so"), top.join("b/file"));
    old_file(&file);
    symlink(&file, &link).unwrap();
    let mut watch = watching(&top.join("a"));
    watch.take(Ok(write_to(&file)));
    assert!(watch.is_being_written(&link));
    // Meanwhile nobody looks at the file, so its close goes unseen.
    fs::remove_file(&link).unwrap();
    happens(&mut watch);
    symlink(&file, &link).unwrap();
    happens(&mut watch);
    assert!(!watch.is_being_written(&link));
}

/// Neither is each event looked at by itself, nor does it wait for an end that may never come.
#[test]
fn what_goes_on_and_on_is_looked_at_now_and_then() {
    let (_top, top) = top();
    let mut watch = watching(&top);
    let (stop, stopped) = mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
            fs::write(top.join("file"), "").unwrap();
            std::thread::sleep(QUIET / 20);
        }
    });
    let since = Instant::now();
    for _ in 0..3 {
        happens(&mut watch);
    }
    let took = since.elapsed();
    drop(stop);
    writer.join().unwrap();
    assert!(took >= Duration::from_millis(600), "{took:?}");
}

/// Nobody looks for long, and more happens than is kept: the close of a file is not, and yet it is not held back.
#[test]
fn more_events_than_are_kept_hold_nothing_back() {
    let (_top, path) = top();
    let others = ["b", "c"].map(|name| File::create(path.join(name)).unwrap());
    let mut watch = watching(&path);
    let file = path.join("a");
    let mut open = File::create(&file).unwrap();
    open.write_all(b"half").unwrap();
    happens(&mut watch);
    assert!(watch.is_being_written(&file));
    let until = Instant::now() + LIMIT;
    while !watch.overflow.load(Ordering::Relaxed) {
        assert!(Instant::now() < until, "all events are kept");
        for count in 0..1000 {
            let other = &others[count % 2];
            other.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        }
    }
    drop(open);
    happens(&mut watch);
    while watch.is_being_written(&file) {
        assert!(Instant::now() < until, "it is held back");
        happens(&mut watch);
    }
}

/// A scheduler looks now and then, and has no time to wait.
#[test]
fn one_who_does_not_wait_sees_it_too() {
    let (_top, directory) = top();
    let mut watch = watching(&directory);
    fs::write(directory.join("new"), "").unwrap();
    let until = Instant::now() + LIMIT;
    while !watch.wait(Instant::now()) {
        assert!(Instant::now() < until, "nothing was noticed");
        std::thread::sleep(QUIET / 10);
    }
}
