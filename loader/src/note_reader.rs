//! From the bytes of a shared library to the manifest in its note. No more than its head is read.

use crate::InspectError;
use object::{
    Endianness, elf,
    read::elf::{FileHeader, NoteIterator, ProgramHeader},
};
use rustix::io::pread;
use std::{
    io::{self, Read},
    os::fd::OwnedFd,
};
use taskbay_core::{MANIFEST_FORMAT, Manifest};
use taskbay_plugin_api::host::NOTE_OWNER;

type Header = elf::FileHeader64<Endianness>;

/// How much of a file is read at first: linkers put headers and notes near the start.
const HEAD: usize = 4096;
/// How much is read at most, for headers and for one note segment. No plugin needs more; a bad file may claim it.
const MOST: u64 = 64 * 1024;
/// The machine that this host runs on, as ELF numbers it.
pub(crate) const MACHINE: elf::Machine = if cfg!(target_arch = "x86_64") {
    elf::EM_X86_64
} else if cfg!(target_arch = "aarch64") {
    elf::EM_AARCH64
} else if cfg!(target_arch = "riscv64") {
    elf::EM_RISCV
} else if cfg!(target_arch = "powerpc64") {
    elf::EM_PPC64
} else if cfg!(target_arch = "s390x") {
    elf::EM_S390
} else {
    elf::EM_NONE
};

/// Where the bytes come from.
pub(crate) trait Source {
    /// Reads some of the bytes from `offset` on into `buffer`; none at the end.
    fn read_some(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl Source for OwnedFd {
    fn read_some(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(pread(self, buffer, offset)?)
    }
}

impl Source for [u8] {
    fn read_some(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let start = usize::try_from(offset).map_or(self.len(), |start| start.min(self.len()));
        (&self[start..]).read(buffer)
    }
}

/// Reads the head and, where headers or notes lie further on, those.
pub(crate) fn read_manifest(
    file: &(impl Source + ?Sized),
    size: u64,
) -> Result<Manifest, InspectError> {
    let mut head = [0; HEAD];
    let read = file
        .read_some(&mut head, 0)
        .map_err(InspectError::Unreadable)?;
    let head = &head[..read];
    let header = header(head)?;
    let end = header.e_phoff(Endianness::default()).saturating_add(
        u64::from(header.e_phnum(Endianness::default()))
            * size_of::<elf::ProgramHeader64<Endianness>>() as u64,
    );
    if end <= read as u64 {
        return manifest(
            header,
            head,
            |offset, len| match slice(head, offset, len) {
                Some(note) => Ok(note.to_vec()),
                None => read_at(file, offset, len),
            },
            size,
        );
    }
    if end > size {
        return Err(InspectError::Truncated { size, wanted: end });
    }
    let head = read_at(file, 0, end)?;
    manifest(
        header,
        &head,
        |offset, len| read_at(file, offset, len),
        size,
    )
}

/// The ELF header, when it is that of a shared library for this machine.
fn header(head: &[u8]) -> Result<&Header, InspectError> {
    if head.len() < 20 || !head.starts_with(&elf::ELFMAG) {
        return Err(InspectError::NotElf);
    }
    let native = if cfg!(target_endian = "little") {
        elf::ELFDATA2LSB
    } else {
        elf::ELFDATA2MSB
    };
    if head[4] != elf::ELFCLASS64.0 {
        return Err(InspectError::OtherElf("a 32-bit ELF file"));
    }
    if head[5] != native.0 {
        return Err(InspectError::OtherElf("an ELF file of another byte order"));
    }
    let header = Header::parse(head).map_err(|_| InspectError::NotElf)?;
    let endian = Endianness::default();
    if header.e_machine(endian) != MACHINE {
        let found = header.e_machine(endian).0;
        return Err(InspectError::Machine { found });
    }
    if header.e_type(endian) != elf::ET_DYN {
        return Err(InspectError::OtherElf(
            "an ELF executable, object or core file",
        ));
    }
    Ok(header)
}

/// Checks that every segment lies inside the file, and reads the manifest from the one note of ours.
fn manifest(
    header: &Header,
    head: &[u8],
    note_bytes: impl Fn(u64, u64) -> Result<Vec<u8>, InspectError>,
    size: u64,
) -> Result<Manifest, InspectError> {
    let endian = Endianness::default();
    let malformed = |error: object::Error| InspectError::Malformed(error.to_string());
    let segments = header.program_headers(endian, head).map_err(malformed)?;
    let mut found = None;
    let mut count = 0;
    for segment in segments {
        let (offset, len) = segment.file_range(endian);
        let wanted = offset.saturating_add(len);
        let kind = segment.p_type(endian);
        if wanted > size
            && (kind == elf::PT_LOAD || kind == elf::PT_NOTE || kind == elf::PT_DYNAMIC)
        {
            return Err(InspectError::Truncated { size, wanted });
        }
        if kind != elf::PT_NOTE {
            continue;
        }
        let bytes = note_bytes(offset, len)?;
        let mut notes = NoteIterator::<Header>::new(endian, segment.p_align(endian), &bytes)
            .map_err(malformed)?;
        while let Some(note) = notes.next().map_err(malformed)? {
            if note.name() == NOTE_OWNER.as_bytes() {
                count += 1;
                found = Some((note.n_type(endian).0, note.desc().to_vec()));
            }
        }
    }
    match found {
        None => Err(InspectError::NoNote),
        Some(_) if count > 1 => Err(InspectError::ManyNotes(count)),
        Some((format, _)) if format != MANIFEST_FORMAT => Err(InspectError::Format(format)),
        Some((_, text)) => Ok(Manifest::parse(&text)?),
    }
}

fn slice(head: &[u8], offset: u64, len: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    head.get(start..)?.get(..usize::try_from(len).ok()?)
}

fn read_at(file: &(impl Source + ?Sized), offset: u64, len: u64) -> Result<Vec<u8>, InspectError> {
    if len > MOST {
        return Err(InspectError::Malformed(format!(
            "its headers or notes have {len} bytes, and {MOST} are the most that is read"
        )));
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    let mut done = 0;
    while done < bytes.len() {
        let read = file
            .read_some(&mut bytes[done..], offset + done as u64)
            .map_err(InspectError::Unreadable)?;
        if read == 0 {
            break;
        }
        done += read;
    }
    bytes.truncate(done);
    Ok(bytes)
}
