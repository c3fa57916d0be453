//! Plugin files, good and bad, as their first bytes.

use std::fs;

/// Size of the ELF header, and of one program header.
const HEADER: usize = 64;
const SEGMENT: usize = 56;
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;

/// Where numbers stand in the file header: offset and width.
const HEADER_FIELDS: [(usize, usize); 12] = [
    (4, 1),  // class
    (5, 1),  // byte order
    (16, 2), // type
    (18, 2), // machine
    (32, 8), // where the program headers are
    (40, 8), // where the section headers are
    (52, 2), // size of this header
    (54, 2), // size of a program header
    (56, 2), // number of program headers
    (58, 2), // size of a section header
    (60, 2), // number of section headers
    (62, 2), // section with the names
];
/// Where numbers stand in a program header: type, flags, offset, addresses, sizes, alignment.
const SEGMENT_FIELDS: [(usize, usize); 8] = [
    (0, 4),
    (4, 4),
    (8, 8),
    (16, 8),
    (24, 8),
    (32, 8),
    (40, 8),
    (48, 8),
];
/// Where numbers stand in a note: sizes of owner and content, format.
const NOTE_FIELDS: [(usize, usize); 3] = [(0, 4), (4, 4), (8, 4)];

/// Numbers at which readers go wrong.
pub(crate) const EXTREMES: [u64; 14] = [
    0,
    1,
    3,
    8,
    0x7f,
    0xfff,
    0x1000,
    0xffff,
    0x1_0000,
    0x1_0001,
    0x7fff_ffff,
    0xffff_ffff,
    i64::MAX.cast_unsigned(),
    u64::MAX,
];

/// A note of that owner and format.
pub(crate) fn note(owner: &str, format: u32, content: &[u8]) -> Vec<u8> {
    let mut note = Vec::new();
    for number in [owner.len() + 1, content.len()] {
        note.extend(u32::try_from(number).unwrap().to_ne_bytes());
    }
    note.extend(format.to_ne_bytes());
    note.extend(owner.as_bytes());
    note.push(0);
    note.resize(note.len().next_multiple_of(4), 0);
    note.extend(content);
    note.resize(note.len().next_multiple_of(4), 0);
    note
}

/// The note of a good plugin.
pub(crate) fn good_note() -> Vec<u8> {
    let manifest = br#"{"name":"noop","version":1,"api":"1.0.0","package":"taskbay-task-noop","package_version":"0.1.0","panic":"unwind","interface":"7"}"#;
    note("Taskbay", 1, manifest)
}

/// A shared library for this machine with these note segments, each of them an offset and a size.
pub(crate) fn library(segments: &[(u64, u64)]) -> Vec<u8> {
    let mut head = vec![0; HEADER];
    // Class, byte order and machine are those of the program that this is.
    head[..20].copy_from_slice(&fs::read("/proc/self/exe").unwrap()[..20]);
    put(&mut head, 16, 2, 3); // a shared library
    put(&mut head, 32, 8, HEADER as u64);
    put(&mut head, 54, 2, SEGMENT as u64);
    put(&mut head, 56, 2, segments.len() as u64 + 1);
    let loads = [(PT_LOAD, 0, HEADER as u64)];
    let notes = segments
        .iter()
        .map(|(offset, size)| (PT_NOTE, *offset, *size));
    for (kind, offset, size) in loads.into_iter().chain(notes) {
        let start = head.len();
        head.resize(start + SEGMENT, 0);
        put(&mut head, start, 4, u64::from(kind));
        put(&mut head, start + 8, 8, offset);
        put(&mut head, start + 32, 8, size);
        put(&mut head, start + 48, 8, 4);
    }
    head
}

/// A good plugin: headers, and the note right behind them.
pub(crate) fn plugin() -> Vec<u8> {
    let note = good_note();
    let start = HEADER + 2 * SEGMENT;
    let mut head = library(&[(start as u64, note.len() as u64)]);
    head.extend(note);
    head
}

/// Everywhere in [`plugin`] where a number stands.
pub(crate) fn fields() -> Vec<(usize, usize)> {
    let mut fields = HEADER_FIELDS.to_vec();
    for start in [HEADER, HEADER + SEGMENT] {
        fields.extend(SEGMENT_FIELDS.map(|(at, width)| (start + at, width)));
    }
    let note = HEADER + 2 * SEGMENT;
    fields.extend(NOTE_FIELDS.map(|(at, width)| (note + at, width)));
    fields
}

/// Writes the lowest bytes of a number, in this machine's order. What lies behind the end is left out.
pub(crate) fn put(bytes: &mut [u8], at: usize, width: usize, number: u64) {
    let ordered = number.to_ne_bytes();
    let low = if cfg!(target_endian = "little") {
        &ordered[..width]
    } else {
        &ordered[8 - width..]
    };
    if let Some(place) = bytes.get_mut(at..at + width) {
        place.copy_from_slice(low);
    }
}
