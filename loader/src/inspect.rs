//! Reading a candidate's manifest. None of its code runs, and no more than its head is read.

use crate::{Candidate, FileIdentity, TrustError, TrustPolicy, trust};
use object::{
    Endianness, elf,
    read::elf::{FileHeader, NoteIterator, ProgramHeader},
};
use rustix::{
    fs::{FileType, Mode, OFlags, fstat, open},
    io::{Errno, pread},
};
use std::{io, os::fd::OwnedFd, path::PathBuf};
use taskbay_core::{MANIFEST_FORMAT, Manifest, ManifestError};
use taskbay_plugin_api::host::NOTE_OWNER;

type Header = elf::FileHeader64<Endianness>;

/// How much of a file is read at first: linkers put headers and notes near the start.
const HEAD: usize = 4096;
/// How much is read at most, for headers and for one note segment. No plugin needs more; a bad file may claim it.
const MOST: u64 = 64 * 1024;
/// The machine that this host runs on, as ELF numbers it.
const MACHINE: elf::Machine = if cfg!(target_arch = "x86_64") {
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

/// A file whose manifest was read.
#[derive(Clone, Debug)]
pub struct Inspected {
    pub(crate) path: PathBuf,
    pub(crate) resolved: PathBuf,
    pub(crate) identity: FileIdentity,
    pub(crate) manifest: Manifest,
}

/// Why a file has no manifest to go by.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// It cannot be opened or read.
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    /// It is a link to nothing.
    #[error("it is a symbolic link that leads nowhere: {0}")]
    DanglingLink(io::Error),
    /// It is a FIFO, a directory, or something else that is no regular file.
    #[error("it is {0}, not a regular file")]
    NotRegular(&'static str),
    /// Others may replace it.
    #[error(transparent)]
    Untrusted(#[from] TrustError),
    /// It does not start as ELF files do.
    #[error("it is no shared library: it does not start with an ELF header")]
    NotElf,
    /// It is an ELF file of another kind.
    #[error("it is {0}, not a 64-bit shared library in this machine's byte order")]
    OtherElf(&'static str),
    /// It is for another machine.
    #[error("it was built for another machine (ELF machine {found}, this host is {MACHINE})", MACHINE = MACHINE.0)]
    Machine {
        /// The number that ELF gives to it.
        found: u16,
    },
    /// It ends before it should.
    #[error("it is truncated: it has {size} bytes, and its headers speak of {wanted}")]
    Truncated {
        /// Its size in bytes.
        size: u64,
        /// Where the furthest segment ends.
        wanted: u64,
    },
    /// Its headers contradict themselves.
    #[error("its ELF headers are malformed: {0}")]
    Malformed(String),
    /// There is no note of ours.
    #[error("it is a shared library, but no Taskbay plugin: it has no `{NOTE_OWNER}` note")]
    NoNote,
    /// There is more than one.
    #[error("it has {0} `{NOTE_OWNER}` notes, and a plugin has one")]
    ManyNotes(usize),
    /// The manifest is of a newer form.
    #[error("its manifest has format {0}, and this host reads format {MANIFEST_FORMAT}")]
    Format(u32),
    /// The manifest is malformed.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl InspectError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Unreadable(_) => "make it readable for this user (`chmod a+r`), or remove it",
            Self::DanglingLink(_) => "remove the link, or restore the file that it names",
            Self::NotRegular(_) | Self::NotElf | Self::OtherElf(_) => {
                "remove it, or move it out of the plugin directory"
            }
            Self::Untrusted(error) => return error.help(),
            Self::Machine { .. } => "install the package built for this machine's architecture",
            Self::Truncated { .. } | Self::Malformed(_) => {
                "copy it again: write it under another name, then rename it"
            }
            Self::NoNote => {
                "export a task with `export_task!`, or move the file out of the plugin directory"
            }
            Self::ManyNotes(_) => "export one task per plugin",
            Self::Format(_) => {
                "use a newer host, or rebuild the plugin against this host's taskbay-plugin-api"
            }
            Self::Manifest(_) => "rebuild it with `export_task!` of taskbay-plugin-api",
        }
        .to_owned()
    }
}

/// Reads the manifest of a candidate.
///
/// # Errors
///
/// When it has none, or the file is not one to be trusted.
pub fn inspect(candidate: &Candidate, policy: TrustPolicy) -> Result<Inspected, InspectError> {
    let (resolved, folders) = if candidate.is_link {
        let (resolved, folders) = trust::resolve(&candidate.path, policy).map_err(|error| {
            match candidate.path.symlink_metadata() {
                Ok(found) if found.is_symlink() => InspectError::DanglingLink(error),
                _ => InspectError::Unreadable(error),
            }
        })?;
        // Whoever may replace the link decides as much as whoever may replace its target.
        let folders = candidate.folders.clone().and(folders.map_err(Into::into));
        (resolved, folders)
    } else {
        (candidate.resolved.clone(), candidate.folders.clone())
    };
    // Not blocking: opening a FIFO would wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = open(&resolved, flags, Mode::empty()).map_err(|error| match error {
        Errno::NXIO => InspectError::NotRegular("a socket"),
        error => InspectError::Unreadable(error.into()),
    })?;
    let status = fstat(&file).map_err(unreadable)?;
    let kind = FileType::from_raw_mode(status.st_mode);
    if kind != FileType::RegularFile {
        return Err(InspectError::NotRegular(name_of(kind)));
    }
    folders.map_err(|error| TrustError::clone(&error))?;
    policy.check_file(&resolved, &status)?;
    let identity = FileIdentity::of(&status);
    let manifest = read_manifest(&file, identity.size())?;
    Ok(Inspected {
        path: candidate.path.clone(),
        resolved,
        identity,
        manifest,
    })
}

/// Reads the head of the file and, where headers or notes lie further on, those.
fn read_manifest(file: &OwnedFd, size: u64) -> Result<Manifest, InspectError> {
    let mut head = [0; HEAD];
    let read = pread(file, &mut head, 0).map_err(unreadable)?;
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

fn read_at(file: &OwnedFd, offset: u64, len: u64) -> Result<Vec<u8>, InspectError> {
    if len > MOST {
        return Err(InspectError::Malformed(format!(
            "its headers or notes have {len} bytes, and {MOST} are the most that is read"
        )));
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    let mut done = 0;
    while done < bytes.len() {
        let read = pread(file, &mut bytes[done..], offset + done as u64).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        done += read;
    }
    bytes.truncate(done);
    Ok(bytes)
}

fn unreadable(error: Errno) -> InspectError {
    InspectError::Unreadable(error.into())
}

fn name_of(kind: FileType) -> &'static str {
    match kind {
        FileType::Directory => "a directory",
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "something else",
    }
}
