//! No file makes the inspector panic, hang, or allocate more than the file's size and a fixed amount.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

/// Plugin files, good and bad, as their first bytes.
mod head;

use head::{EXTREMES, fields, good_note, library, note, plugin, put};
use peak_alloc::PeakAlloc;
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::TestRunner,
};
use std::{
    os::unix::fs::FileExt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use taskbay_core::Manifest;
use taskbay_loader::{Candidate, InspectError, TrustPolicy, inspect, inspect_bytes};
use tempfile::NamedTempFile;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Held by each test: what others allocate would be counted, too.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What may be allocated beside the file's size, in bytes.
const FIXED: usize = 256 * 1024;
/// How long a file may take: far more than any does, on a busy machine too.
const LONGEST: Duration = Duration::from_secs(5);

/// Asserts that this takes little time, and no more memory than a file of that size may.
#[track_caller]
fn frugal<T>(size: u64, inspect: impl FnOnce() -> T) -> T {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let start = Instant::now();
    let result = inspect();
    let allocated = ALLOCATOR.peak_usage().saturating_sub(before);
    let took = start.elapsed();
    assert!(took < LONGEST, "{took:?}");
    let most = usize::try_from(size).unwrap().saturating_add(FIXED);
    assert!(allocated <= most, "{allocated} bytes for a file of {size}");
    result
}

/// Inspects bytes in memory and in a file, where a hole of that many bytes follows: holes cost nothing.
#[track_caller]
fn check(bytes: &[u8], hole: u64) -> Result<Manifest, InspectError> {
    let size = bytes.len() as u64;
    let file = NamedTempFile::new().unwrap();
    file.as_file().write_all_at(bytes, 0).unwrap();
    file.as_file().set_len(size + hole).unwrap();
    let policy = TrustPolicy::OwnerOnly;
    let in_memory = frugal(size, || inspect_bytes(bytes));
    let in_file = frugal(size, || {
        let inspected = inspect(&Candidate::at(file.path(), policy), policy)?;
        Ok(inspected.manifest().clone())
    });
    if hole == 0 {
        assert_eq!(format!("{in_memory:?}"), format!("{in_file:?}"));
    }
    in_file
}

/// What may befall the bytes of a good plugin.
#[derive(Clone, Debug)]
enum Change {
    /// A byte becomes another.
    Byte(Index, u8),
    /// A number becomes another.
    Field((usize, usize), u64),
    /// The rest is lost.
    Cut(Index),
    /// There is something in between.
    Insert(Index, Vec<u8>),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Byte(at, byte) => *at.get_mut(bytes) = *byte,
            Self::Field((at, width), number) => put(bytes, *at, *width, *number),
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Insert(at, new) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
        }
    }
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![select(&EXTREMES[..]), any::<u64>(), 0..300u64]
}

fn change() -> impl Strategy<Value = Change> {
    let byte = (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte));
    let field = (select(fields()), number()).prop_map(|(at, number)| Change::Field(at, number));
    let cut = any::<Index>().prop_map(Change::Cut);
    let new = prop_oneof![vec(any::<u8>(), 1..9), Just(good_note())];
    let insert = (any::<Index>(), new).prop_map(|(at, new)| Change::Insert(at, new));
    prop_oneof![4 => byte, 8 => field, 1 => cut, 1 => insert]
}

/// Mostly none, since a file that is large enough hides a claim that is too large.
fn hole() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(100), Just(70_000), Just(8 << 30)]
}

/// Runs a check on many inputs: 256, or as many as `$PROPTEST_CASES` says.
fn for_any<S: Strategy>(inputs: &S, check: impl Fn(S::Value)) {
    let _alone = alone();
    // Inputs that do harm are kept in `fuzz/corpus`, by hand and under a name.
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let done = TestRunner::new(config).run(inputs, |input| {
        check(input);
        Ok(())
    });
    done.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn any_bytes_are_refused_in_peace() {
    for_any(&vec(any::<u8>(), 0..6000), |bytes| {
        check(&bytes, 0).unwrap_err();
    });
}

/// With a head that is an ELF file's, so that more is read.
#[test]
fn any_bytes_behind_a_header_are_read_in_peace() {
    let inputs = (vec(any::<u8>(), 0..6000), number(), hole());
    for_any(&inputs, |(bytes, segments, hole)| {
        let mut library = library(&[]);
        put(&mut library, 56, 2, segments);
        library.truncate(64);
        library.extend(bytes);
        let _ = check(&library, hole);
    });
}

#[test]
fn a_plugin_that_was_damaged_is_read_in_peace() {
    let inputs = (vec(change(), 1..6), hole());
    for_any(&inputs, |(changes, hole)| {
        let mut bytes = plugin();
        for change in &changes {
            change.apply(&mut bytes);
        }
        let _ = check(&bytes, hole);
    });
}

/// With a manifest that is any text.
#[test]
fn any_manifest_is_read_in_peace() {
    for_any(
        &(vec(any::<u8>(), 0..300), 0..3u32),
        |(manifest, format)| {
            let note = note("Taskbay", format, &manifest);
            let mut bytes = library(&[(64 + 2 * 56, note.len() as u64)]);
            bytes.extend(note);
            check(&bytes, 0).unwrap_err();
        },
    );
}

/// What the others damage is whole to begin with.
#[test]
fn a_good_plugin_is_read() {
    let _alone = alone();
    assert_eq!(check(&plugin(), 0).unwrap().name, "noop");
    assert_eq!(check(&plugin(), 8 << 30).unwrap().name, "noop");
}

/// A file of gigabytes costs what its head costs, whatever the head claims.
#[test]
fn a_claim_of_gigabytes_costs_nothing() {
    let _alone = alone();
    for claimed in [1 << 20, 1 << 30, 8 << 30] {
        let bytes = library(&[(4096, claimed)]);
        let refused = check(&bytes, 16 << 30).unwrap_err().to_string();
        assert!(refused.contains("are the most that is read"), "{refused}");
        let refused = check(&bytes, 0).unwrap_err().to_string();
        assert!(refused.starts_with("it is truncated"), "{refused}");
    }
    let mut bytes = library(&[]);
    put(&mut bytes, 56, 2, 0xffff);
    assert!(check(&bytes, 16 << 30).is_err());
    let sizes = note("Taskbay", 1, &[]);
    for at in [0, 4] {
        let mut note = sizes.clone();
        put(&mut note, at, 4, 0xffff_fff0);
        let mut bytes = library(&[(64 + 2 * 56, note.len() as u64)]);
        bytes.extend(note);
        assert!(check(&bytes, 8 << 30).is_err());
    }
}

/// As many of the largest note segments as there can be: all of one place, so that the file is small.
#[test]
fn the_worst_file_is_read_in_peace() {
    let _alone = alone();
    let most = 64 * 1024;
    let count = (most - 64) / 56 - 1;
    let notes = good_note().repeat(most / good_note().len());
    let empty = vec![0; most];
    for content in [notes, empty] {
        let mut bytes = library(&vec![(most as u64, content.len() as u64); count]);
        bytes.resize(most, 0);
        bytes.extend(content);
        assert!(check(&bytes, 0).is_err());
    }
}
